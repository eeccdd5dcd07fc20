"""The service, which turns parts of its observation on and off while it runs: a factory for gunicorn.

`BENCH_ARMS` names the arms, each with the parts that are on: `nothing=;all=log,audit`; metrics go with the log. From
`GET /bench/start` on, arms take turns of `BENCH_TURN` seconds, in a new order each round; `GET /bench/result` ends that
and tells, for each block of ten rounds, the CPU time of the process (all threads) and the number of calls of each arm.
What is to be written of a turn is written before its CPU time is read; spans at the end of a block.
"""

import asyncio
import json
import os
import random
import time
from typing import Any

from starlette.types import Receive, Scope, Send

import service.app
from service.auth import guard
from service.telemetry import audit, correlation, traces
from service.telemetry.outlet import outlets

# Turns of an arm that are added up before they are compared.
ROUNDS = 10


def _nothing(*_: Any) -> None: ...


class Observation:
    """What is observed."""

    def __init__(self) -> None:
        self._traces = traces._Tracing.outlet
        self._usual = correlation.request_answered, audit.note_decision, guard.record

    def only(self, parts: set[str]) -> None:
        """Turn these parts on, and all others off."""
        tell, decide, record = self._usual
        correlation.request_answered = tell if "log" in parts else _nothing  # type: ignore[attr-defined]
        audit.note_decision = decide if "log" in parts else _nothing  # type: ignore[attr-defined]
        guard.record = record if "audit" in parts else _nothing  # type: ignore[attr-defined]
        traces._Tracing.outlet = self._traces if "traces" in parts else None


class Switched:
    """ASGI application around the service."""

    def __init__(self, app: Any, arms: dict[str, set[str]], turn: float) -> None:
        self.app = app
        self._arms = arms
        self._turn = turn
        self._observation = Observation()
        self._calls = 0
        self._samples: list[dict[str, tuple[float, int]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the bench, or pass it on and count it."""
        path = scope.get("path", "")
        if not path.startswith("/bench/"):
            self._calls += 1
            await self.app(scope, receive, send)
            return
        if path == "/bench/start":
            self._samples = []
            self._task = asyncio.create_task(self._take_turns())
        elif self._task is not None:
            self._task.cancel()
        body = json.dumps(self._samples).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _take_turns(self) -> None:
        while True:
            found = dict.fromkeys(self._arms, (0.0, 0))
            for number in range(ROUNDS):
                for arm in random.sample(sorted(self._arms), len(self._arms)):
                    self._observation.only(self._arms[arm])
                    await asyncio.sleep(self._turn / 10)  # calls that began before are no part of the turn
                    _flush(spans=False)
                    calls, began = self._calls, time.process_time()
                    await asyncio.sleep(self._turn)
                    _flush(spans=number == ROUNDS - 1 and "traces" in self._arms[arm])
                    used, made = found[arm]
                    found[arm] = (used + time.process_time() - began, made + self._calls - calls)
            self._samples.append(found)


def _flush(spans: bool) -> None:
    """Write what was put before; spans only at the end of a block, for they are sent once a second."""
    for outlet in outlets():
        if outlet.name == "traces":
            outlet._gather = 3600
        if spans or outlet.name != "traces":
            outlet._write_at_once()  # as whenever lines are due; the thread would do it at a higher price
            outlet.flush()


def create_app() -> Any:
    """Return the service with its switch."""
    arms = dict(one.split("=") for one in os.environ["BENCH_ARMS"].split(";"))
    parts = {name: set(filter(None, text.split(","))) for name, text in arms.items()}
    return Switched(service.app.create_app(), parts, float(os.environ["BENCH_TURN"]))
