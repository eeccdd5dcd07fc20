"""How long a start takes: `python -m tests.benchmarks.start [--rounds N] [--no-write]`.

The service as in production with two workers, its keys warm in a real Redis and its modules compiled, from the command
to the first 200 of /readyz, and the CPU time of all its processes until then.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.benchmarks.calls import servers
from tests.benchmarks.calls.cases import KID, REALM
from tests.benchmarks.calls.report import PACKAGES
from tests.benchmarks.page import machine, put
from tests.security.issuer import FakeIssuer, serving
from tests.support.redis_server import redis_server
from tests.unit.jose import public_jwk

AIM_S, MOST_S = 2.0, 120
WORKERS = 2

parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.start", description=__doc__)
parser.add_argument("--rounds", type=int, default=10)
parser.add_argument("--no-write", action="store_true", help="print only")


def start(folder: Path, issuer: str, redis: str) -> tuple[float, float]:
    """Start the service once; return the seconds until it was ready by the clock, and of CPU."""
    began = time.monotonic()
    settings = {"SECURE_MCP_REDIS_URL": redis, "SECURE_MCP_WORKERS": str(WORKERS)}
    with servers.ours(servers.OURS, "start", folder, issuer, settings) as server:
        while time.monotonic() < began + MOST_S:
            try:
                if httpx.get(f"{server.origin}/readyz", trust_env=False).is_success:
                    return time.monotonic() - began, server.cpu_seconds()
            except httpx.TransportError:
                time.sleep(0.005)
        raise SystemExit(f"the service was not ready within {MOST_S} s: {server.log.read_text()[-2000:]}")


def main(rounds: int, write: bool) -> None:
    """Measure, print and write."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each start would compile what it loads
    with (
        tempfile.TemporaryDirectory() as place,
        redis_server(folder := Path(place)) as redis,
        serving(FakeIssuer()) as fake,
    ):
        fake.realms[REALM] = [public_jwk("RS256", kid=KID)]
        issuer = fake.issuer(REALM)
        start(folder, issuer, redis)  # warms the keys, compiles the modules
        found = [start(folder, issuer, redis) for _ in range(rounds)]
    (low, ready, high), cpu = (statistics.quantiles(values, n=4) for values in zip(*found, strict=True))
    met = "met" if ready <= AIM_S else "not met"
    lines = ["| a start with warm keys, two workers | seconds | aim |", "|---|---|---|"]
    lines.append(f"| until ready | {ready:.2f} ({low:.2f} to {high:.2f}) | <= {AIM_S:.0f}: {met} |")
    lines.append(f"| of CPU until then | {cpu[1]:.2f} ({cpu[0]:.2f} to {cpu[2]:.2f}) |  |")
    table = "\n".join(lines)
    print(table)
    if write:
        put("start", f"Measured on {machine(PACKAGES)} {rounds} starts.\n\n{table}")


if __name__ == "__main__":
    options = parser.parse_args()
    if options.rounds < 3:
        sys.exit("--rounds: write 3 or more; fewer have no spread")
    main(options.rounds, not options.no_write)
