"""Callers while a Swarm changes: calls whose token is renewed in time, and somebody who asks Keycloak for tokens."""

import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import httpx

from ops.errors import OperatorError
from tests.faults.load import OpenLoad, Target

if TYPE_CHECKING:
    from tests.swarm.conftest import RunningSwarm

PACE_S = 0.25
RENEW_S = 100  # of the 300 that a token lives


class FreshLoad(OpenLoad):
    """A load that shows a new token from time to time, for what takes longer than a token lives."""

    def __init__(self, swarm: "RunningSwarm", target: Target, rate: float) -> None:
        super().__init__(target, swarm.token(), rate)
        self._swarm = swarm
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return super().__enter__()

    def __exit__(self, *details: object) -> None:
        self._stop.set()
        self._thread.join(60)
        super().__exit__(*details)

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_S):
            with suppress(OperatorError):  # the one that there is lives on
                self.use(self._swarm.token())


class TokenRequests:
    """Asks for one token after the other, each once, until the block ends; `outcomes` counts what came of it.

    `first` is when the first token came, in monotonic time; infinite before.
    """

    def __init__(self, swarm: "RunningSwarm") -> None:
        self.outcomes: Counter[str] = Counter()
        self.slowest = 0.0
        self.first = float("inf")
        self._swarm = swarm
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    @property
    def failed(self) -> int:
        """How many requests brought no token."""
        return sum(count for outcome, count in self.outcomes.items() if outcome != "token")

    def _run(self) -> None:
        while not self._stop.wait(PACE_S):
            began = time.monotonic()
            try:
                self._swarm.token("mcp-reader")
                self.outcomes["token"] += 1
                self.first = min(self.first, time.monotonic())
            except (OperatorError, httpx.HTTPError) as error:
                self.outcomes[str(error)[:200]] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
