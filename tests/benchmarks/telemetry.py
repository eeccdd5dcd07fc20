"""What log, audit trail, metrics and traces cost a call: `python -m tests.benchmarks.telemetry [--rounds N] [--write]`.

The whole service in this process, called as a server calls it, with and without being observed, interleaved. CPU time
of all threads counts, so the writing of the lines is in it. Metrics are those of several workers (files in memory).
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="secure-mcp-bench-")  # before the service is imported

from service.app import create_app
from service.auth import guard
from service.telemetry import audit, correlation, sinks, traces
from service.telemetry.outlet import flush_all
from service.telemetry.stdout import STDOUT
from tests.benchmarks.measure import Case, measure, ratio
from tests.benchmarks.page import machine, put
from tests.benchmarks.report import PACKAGES
from tests.unit import jose
from tests.unit.tokens import MCP_HEADERS, make_keys, make_settings, make_token, rpc, running

NOTHING, OBSERVED, TRACED = "nothing observed", "log, audit, metrics", "the same and 1 % traced"
BUDGET = {OBSERVED: 1.10, TRACED: 1.12}
# Calls whose lines are written together, as by a worker with a thousand calls a second; a sample ends when they are.
TOGETHER = 10


class _Silent:
    """Stands where the audit trail stands, and says nothing."""

    def record(self, *_: Any, **__: Any) -> None: ...


class Switch:
    """Turns observation on and off between batches."""

    def __init__(self) -> None:
        self.arm = ""
        self._usual = correlation.count_request, correlation.write_info, audit.count_decision, guard.trail
        self._settings = make_settings(otlp_endpoint="http://127.0.0.1:9", trace_ratio=0.01)

    def to(self, arm: str) -> None:
        """Switch, if need be."""
        if arm == self.arm:
            return
        self.arm = arm
        usual = self._usual
        silent: tuple[Any, ...] = (_nothing, _nothing, _nothing, _Silent)
        count, write, decide, trail = silent if arm == NOTHING else usual
        correlation.count_request, correlation.write_info = count, write  # type: ignore[attr-defined]
        audit.count_decision, guard.trail = decide, trail  # type: ignore[attr-defined]
        endpoint = self._settings.otlp_endpoint if arm == TRACED else None
        traces.configure_tracing(endpoint, self._settings.trace_ratio, sinks.resource_of(self._settings))


def _nothing(*_: Any) -> None: ...


def caller(app: Any) -> Callable[[], Awaitable[None]]:
    """Return what calls the tool `echo` once."""
    body = json.dumps(rpc("tools/call", {"name": "echo", "arguments": {"text": "hello"}})).encode()
    token = make_token(exp=int(time.time()) + 250)
    headers = {
        **MCP_HEADERS,
        "Content-Type": "application/json",
        "Host": "localhost:8000",
        "Authorization": f"Bearer {token}",
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def call() -> None:
        trace = f"{random.getrandbits(128):032x}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/mcp",
            "raw_path": b"/mcp",
            "root_path": "",
            "query_string": b"",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
            "headers": [*raw, (b"x-request-id", trace.encode())],
        }
        statuses = []

        async def send(message: dict[str, Any]) -> None:
            statuses.append(message.get("status"))

        await app(scope, receive, send)
        assert statuses[0] == 200, statuses

    return call


async def main(rounds: int, write: bool) -> None:
    """Measure, print what is within its budget and what is not, and write docs/benchmarks.md if wanted."""
    assert jose.AUDIENCE == "http://localhost:8000/mcp"
    terminal = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the lines are written, to nowhere
    switch = Switch()
    app = create_app(make_settings(), make_keys())
    async with running(app):
        call = caller(app)

        def case(arm: str) -> Case:
            async def operation(_number: int) -> None:
                switch.to(arm)
                for _ in range(TOGETHER):
                    await call()
                flush_all()

            return Case("a call", arm, operation)

        cases = [case(arm) for arm in (NOTHING, OBSERVED, TRACED)]
        await measure(cases, rounds, lambda _: None)
    os.dup2(terminal, 1)
    bare, *others = cases
    print(f"{bare.name}: {bare.microseconds / TOGETHER:.0f} µs of CPU a call")
    for found in others:
        middle, low, high = ratio(found, bare)
        within = middle <= BUDGET[found.name]
        print(
            f"{found.name}: {found.microseconds / TOGETHER:.0f} µs, {middle:.3f} ({low:.3f} to {high:.3f}) times that; "
            f"budget {BUDGET[found.name]:.2f}: {'kept' if within else 'EXCEEDED'}"
        )
    print(f"lines written {STDOUT.written}, dropped {STDOUT.dropped}")
    if write:
        into_page(bare, others, rounds)
        print("wrote docs/benchmarks.md")


def into_page(bare: Case, others: list[Case], rounds: int) -> None:
    """Put the figures between their marks in docs/benchmarks.md."""
    rows = [f"| {NOTHING} | {bare.microseconds / TOGETHER:.0f} µs | 1.00 | |"]
    for found in others:
        middle, low, high = ratio(found, bare)
        cells = (f"{found.microseconds / TOGETHER:.0f} µs", f"{middle:.3f} ({low:.3f} to {high:.3f})")
        rows.append(f"| {found.name} | {' | '.join(cells)} | {BUDGET[found.name]:.2f} |")
    table = "\n".join(["| a call of the tool `echo` | CPU | times | budget |", "|---|---|---|---|", *rows])
    put("telemetry", f"Measured on {machine(PACKAGES)} {rounds} rounds.\n\n{table}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    options = parser.parse_args()
    if options.rounds < 3:
        sys.exit("--rounds: write 3 or more; fewer have no spread")
    asyncio.run(main(options.rounds, options.write))
