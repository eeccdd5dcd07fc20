"""What log, audit trail, metrics and traces cost a call: `python -m tests.benchmarks.telemetry [--seconds N]`.

The service as in production, called by wrk over loopback, its standard output a pipe that somebody reads, as under a
container engine. It turns its observation on and off ten times a second (observing/switch.py), so whatever else the
machine does hits all alike. CPU time of all its threads counts, so the writing of the lines is in it.
"""

import argparse
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import httpx

from tests.benchmarks.calls import servers, wrk
from tests.benchmarks.calls.cases import KID, NEW, OLD, REALM, REST, Case, request_of
from tests.benchmarks.calls.report import PACKAGES
from tests.benchmarks.page import machine, put
from tests.security.issuer import FakeIssuer, serving
from tests.support.collector import Collector
from tests.unit.jose import public_jwk

COMMAND = ("gunicorn", "-c", "service/gunicorn_conf.py", "tests.benchmarks.observing.switch:create_app()")
NOTHING, OBSERVED, TRACED = "nothing observed", "log, audit, metrics", "the same and 1 % traced"
ARMS = {NOTHING: "", OBSERVED: "log,audit", TRACED: "log,audit,traces"}
# Of TRACED: beyond what OBSERVED costs.
BUDGET = {OBSERVED: 0.10, TRACED: 0.02}
TURN_SECONDS = 0.1
# Where a process happens to have its memory moves its figures by more than the turns do.
STARTS = 5
# In a confidence interval of 95 % for a median: so many standard deviations of a binomial number.
DEVIATIONS = 1.96

Samples = list[dict[str, float]]


@contextmanager
def reader() -> Iterator[IO[bytes]]:
    """Yield a pipe that another process reads and forgets."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        yield process.stdin
        process.stdin.close()


def run(kind: str, seconds: int, folder: Path, sinks: dict[str, str], connections: int = 8) -> Samples:
    """Measure one kind of call; return CPU microseconds a call by arm, for each block of turns."""
    with ExitStack() as stack:
        issuer = stack.enter_context(serving(FakeIssuer()))
        issuer.realms[REALM] = [public_jwk("RS256", kid=KID)]
        environment = {
            "BENCH_ARMS": ";".join(f"{name}={parts}" for name, parts in ARMS.items()),
            "BENCH_TURN": str(TURN_SECONDS),
            "SECURE_MCP_OTLP_ENDPOINT": stack.enter_context(serving(Collector())).url,
            "SECURE_MCP_TRACE_RATIO": "0.01",
            "SECURE_MCP_WORKERS": "1",
            **sinks,
        }
        output = stack.enter_context(reader())
        server = stack.enter_context(
            servers.ours(COMMAND, "switched", folder, issuer.issuer(REALM), environment, output)
        )
        server.wait("/readyz", (200,))
        _, headers, body = request_of(kind)
        load = wrk.Wrk(folder, "switched", headers, body)
        case = Case(kind, "ours", server, issuer.issuer(REALM), load)
        case.prove()
        load.run(case.url, case.tokens(), connections, 2)  # warms the code and its caches
        httpx.get(f"{server.origin}/bench/start", trust_env=False)
        load.run(case.url, case.tokens(), connections, seconds)
        found: list[dict[str, Any]] = httpx.get(f"{server.origin}/bench/result", trust_env=False).json()
    rounds = [one for one in found if all(calls for _, calls in one.values())]
    return [{arm: used / calls * 1e6 for arm, (used, calls) in one.items()} for one in rounds]


def median(values: list[float]) -> tuple[float, float, float]:
    """Return the median and the interval in which it lies with 95 % confidence (order statistics)."""
    ordered, number = sorted(values), len(values)
    wide = DEVIATIONS * math.sqrt(number) / 2
    low, high = max(0, math.floor(number / 2 - wide)), min(number - 1, math.ceil(number / 2 + wide))
    return statistics.median(ordered), ordered[low], ordered[high]


def shares(samples: Samples) -> dict[str, tuple[float, float, float]]:
    """Return what observing adds, as parts of a call without: what each pair of one round says, in the middle."""
    observed = [one[OBSERVED] / one[NOTHING] - 1 for one in samples]
    traced = [(one[TRACED] - one[OBSERVED]) / one[NOTHING] for one in samples]
    return {OBSERVED: median(observed), TRACED: median(traced)}


def table(kind: str, samples: Samples) -> list[str]:
    """Return the rows of one kind of call."""
    found = shares(samples)
    rows = [f"| {kind}: {NOTHING} | {statistics.median(one[NOTHING] for one in samples):.0f} µs | | | |"]
    for arm, budget in BUDGET.items():
        middle, low, high = found[arm]
        cpu = statistics.median(one[arm] for one in samples)
        added = f"{middle * 100:+.1f} % ({low * 100:+.1f} to {high * 100:+.1f})"
        kept = "kept" if middle <= budget else "not kept"
        rows.append(f"| {kind}: {arm} | {cpu:.0f} µs | {added} | {budget * 100:.0f} % | {kept} |")
    return rows


def main(seconds: int, write: bool) -> None:
    """Measure, print what is within its budget and what is not, and write docs/benchmarks.md if wanted."""
    rows = ["| a call of the tool `echo` | CPU | adds | budget | |", "|---|---|---|---|---|"]
    rounds = []
    with tempfile.TemporaryDirectory(prefix="secure-mcp-bench-") as folder:
        place = Path(folder)
        in_file = {"SECURE_MCP_AUDIT_SINKS": "file", "SECURE_MCP_AUDIT_FILE": str(place / "audit.jsonl")}
        for kind, title, sinks in (
            (OLD, OLD, {}),
            (NEW, NEW, {}),
            (REST, REST, {}),
            (OLD, f"{OLD}, audit in a file", in_file),
        ):
            samples = [found for _ in range(STARTS) for found in run(kind, seconds // STARTS, place, sinks)]
            rounds.append(len(samples))
            more = table(title, samples)
            print("\n".join(more), flush=True)
            rows += more
    if write:
        turns = f"{min(rounds)} blocks or more, each with ten turns of {TURN_SECONDS} s of every arm"
        how = f"{STARTS} starts of the service, {turns}; 8 connections."
        put("telemetry", f"Measured on {machine(PACKAGES)} {how}\n\n" + "\n".join(rows))
        print("wrote docs/benchmarks.md")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=75, help="for each kind of call; 50 or more")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    options = parser.parse_args()
    if options.seconds < 50:
        sys.exit("--seconds: write 50 or more; fewer have no spread")
    if reason := wrk.missing():
        sys.exit(reason)
    main(options.seconds, options.write)
