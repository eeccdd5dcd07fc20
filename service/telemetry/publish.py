"""Carries the numbers that the parts of the service keep into the metrics, once a second.

The parts count with plain integers, which cost a call little; see counts.py, `TokenValidator.hits` or
`JwksKeySource.statistics`.
The same beat takes over a log level that was set through the management port of any worker.
"""

import asyncio
import os
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client import Counter

from service import __version__
from service.auth.keys import JwksKeySource
from service.auth.rate import CallerRate
from service.auth.revocation import Revocations
from service.auth.token import KeySource, TokenValidator
from service.settings import Settings
from service.telemetry import level, metrics
from service.telemetry.counts import publish_counts
from service.telemetry.outlet import outlets

BEAT_SECONDS: Final = 1.0


class Publisher:
    """Publishes for one worker.

    Args:
        settings: the settings.
        keys: their age and how they were had.
        revocations: what is revoked.
        validator: how often a token was known.
        caller_rate: whether it is shared.
    """

    def __init__(
        self,
        settings: Settings,
        keys: KeySource,
        revocations: Revocations,
        validator: TokenValidator,
        caller_rate: CallerRate | None = None,
    ) -> None:
        self._environment = settings.environment
        self._keys = keys
        self._revocations = revocations
        self._validator = validator
        self._caller_rate = caller_rate
        self._before: dict[str, float] = {}
        self._beat: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to publish."""
        metrics.BUILD.labels(__version__, self._environment).set(1)
        metrics.WORKERS.set(1)
        self._beat = asyncio.create_task(self._publish_for_ever())

    async def stop(self) -> None:
        """Publish what is left and stop."""
        if self._beat is not None:
            self._beat.cancel()
            with suppress(asyncio.CancelledError):
                await self._beat
        self.publish()

    def publish(self) -> None:
        """Publish once."""
        publish_counts()
        self._add("hit", metrics.TOKEN_CACHE.labels("hit"), self._validator.hits)
        self._add("miss", metrics.TOKEN_CACHE.labels("miss"), self._validator.misses)
        metrics.READY.set(1 if self._keys.ready else 0)
        if isinstance(self._keys, JwksKeySource):
            found = self._keys.statistics
            self._add("fetched", metrics.JWKS_FETCHES.labels("success"), found.successes)
            self._add("failed", metrics.JWKS_FETCHES.labels("failure"), found.failures)
            self._add("dropped", metrics.JWKS_DROPPED, found.dropped)
            metrics.JWKS_FETCHED.set(found.fetched_at)
            metrics.JWKS_KEYS.set(found.keys)
        metrics.REVOKED.set(self._revocations.size)
        if self._revocations.reachable is not None:
            metrics.REDIS_UP.labels("revocations").set(1 if self._revocations.reachable else 0)
        if self._caller_rate is not None and self._caller_rate.reachable is not None:
            metrics.REDIS_UP.labels("caller_rate").set(1 if self._caller_rate.reachable else 0)
        for outlet in outlets():
            name = outlet.name
            self._add(f"written {name}", metrics.LOG_LINES.labels(name, "written"), outlet.written)
            self._add(f"dropped {name}", metrics.LOG_LINES.labels(name, "dropped"), outlet.dropped)
        used = resource.getrusage(resource.RUSAGE_SELF)
        self._add("cpu", metrics.CPU, used.ru_utime + used.ru_stime)
        metrics.MEMORY.set(_resident_bytes())

    async def _publish_for_ever(self) -> None:
        while True:
            self.publish()
            level.take_over()
            due = time.monotonic() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            metrics.LAG.set(max(0.0, time.monotonic() - due))

    def _add(self, name: str, counter: Counter, total: float) -> None:
        """Let a counter follow a number that only grows; where it began anew, from 0."""
        before = self._before.get(name, 0)
        grown: Callable[[float], None] = counter.inc
        if total > before:
            grown(total - before)
        self._before[name] = total


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
