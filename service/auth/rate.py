"""How many requests one caller may send in a minute: over all workers and nodes, from whatever addresses.

Counted in memory, so that a call never waits for Redis. Twice a second the workers add what they counted to numbers in
Redis and learn what the others did, so a caller can send more than the rate by what all workers answer in half a
second. While Redis is away each worker grants its share of the rate, by its own count.

The minute before counts for as much of it as is still less than a minute ago, so that the turn of a minute gives no
second helping.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog
from redis.asyncio import Redis

from service.telemetry.events import Event

COUNTS: Final = "secure-mcp:requests:"
"""And the number of the minute: how many requests each caller sent in it."""
WORKERS: Final = "secure-mcp:workers"
WINDOW_SECONDS: Final = 60
SHARE_SECONDS: Final = 0.5
MAX_CALLERS: Final = 100_000
_NEAR: Final = 0.5  # of the rate
_BATCH: Final = 500
_GONE_SECONDS: Final = 5.0
_KEPT_SECONDS: Final = 3 * WINDOW_SECONDS

log = structlog.get_logger(__name__)


class _Count:
    """What one caller sent in one minute.

    `here` is what this worker let through and `told` how much of it was told to Redis; `everywhere` is what is known of
    all workers, without what was not told yet. `before` and `before_here` are the same of the minute before.
    """

    __slots__ = ("before", "before_here", "everywhere", "here", "minute", "subject", "told")

    def __init__(self, subject: str, minute: int) -> None:
        self.subject = subject
        self.minute = minute
        self.here = self.told = self.everywhere = self.before = self.before_here = 0

    @property
    def known(self) -> int:
        return self.everywhere + self.here - self.told


class CallerRate:
    """Counts the requests of each caller, by the subject of its token: a person, or the account of a service.

    Args:
        per_minute: how many requests a caller may send in a minute.
        redis: shares counts between workers; None where there is one worker.
        workers: how many share the rate while Redis has not told it.
        clock: seconds since the epoch; workers whose clocks differ count into different minutes for so long.
    """

    def __init__(
        self,
        per_minute: int,
        redis: Redis | None = None,
        workers: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._per_minute = per_minute
        self._redis = redis
        self._workers = workers
        self._clock = clock
        self._counts: dict[str, _Count] = {}
        self._untold: set[_Count] = set()
        self._near: set[_Count] = set()
        self._worker = secrets.token_hex(8)
        self._sharer: asyncio.Task[None] | None = None
        self._stopping = False
        self.reachable: bool | None = None
        """Whether Redis answered last; None where there is none to ask, or it was not asked yet."""

    def wait(self, subject: str) -> int:
        """Count a request; return 0, or for how many seconds the caller has to wait, and then it does not count.

        Args:
            subject: `sub` of the caller.
        """
        minute, into = divmod(self._clock(), WINDOW_SECONDS)
        left = 1 - into / WINDOW_SECONDS
        count = self._counts.get(subject)
        if count is None or count.minute != minute:
            count = self._begin(subject, count, int(minute))
        if self.reachable is False:
            allowed, before, now = max(1, self._per_minute // self._workers), count.before_here, count.here
        else:
            allowed, before, now = self._per_minute, count.before, count.known
        if before * left + now >= allowed:
            return _seconds(allowed, before, now, left)
        count.here += 1
        if self._redis is not None:
            self._untold.add(count)
        return 0

    async def start(self) -> None:
        """Begin to share counts."""
        if self._redis is not None:
            self._sharer = asyncio.create_task(self._share_for_ever(self._redis))

    async def stop(self) -> None:
        """Stop to share counts."""
        self._stopping = True  # for redis swallows a cancellation that comes together with an answer
        if self._sharer is not None:
            self._sharer.cancel()
            with suppress(asyncio.CancelledError):
                await self._sharer
        if self._redis is not None:
            await self._redis.aclose()

    def _begin(self, subject: str, last: _Count | None, minute: int) -> _Count:
        count = _Count(subject, minute)
        if last is not None and last.minute == minute - 1:
            count.before, count.before_here = last.known, last.here
        if last is None and len(self._counts) >= MAX_CALLERS:
            self._counts = {name: one for name, one in self._counts.items() if one.minute >= minute - 1}
            if len(self._counts) >= MAX_CALLERS:
                del self._counts[next(iter(self._counts))]
        self._counts[subject] = count
        return count

    async def share(self, redis: Redis) -> None:
        """Tell Redis what was counted here since the last time, and learn what the others counted.

        Args:
            redis: where the numbers are.
        """
        minute = self._clock() // WINDOW_SECONDS
        # Who is near the rate is looked up without having called here: others may have let the last request through.
        news = [(count, count.here - count.told) for count in self._untold | self._near]
        self._untold = set()
        for count, _ in news:
            # Whether a command that failed was carried out is not known: it is not sent again, or it might count twice.
            count.everywhere, count.told = count.known, count.here
        for first in range(0, max(1, len(news)), _BATCH):
            batch = news[first : first + _BATCH]
            commands = redis.pipeline(transaction=False)
            for count, more in batch:
                commands.hincrby(f"{COUNTS}{count.minute}", count.subject, more)
                commands.hget(f"{COUNTS}{count.minute - 1}", count.subject)
            for each in {count.minute for count, _ in batch}:
                commands.expire(f"{COUNTS}{each}", _KEPT_SECONDS)
            commands.zadd(WORKERS, {self._worker: self._clock()})
            commands.zremrangebyscore(WORKERS, "-inf", self._clock() - _GONE_SECONDS)
            commands.zcard(WORKERS)
            answers: Any = await commands.execute()
            for (count, _), everywhere, before in zip(batch, answers[::2], answers[1::2], strict=False):
                # Where Redis knows less than this worker, it was emptied.
                count.everywhere = max(count.everywhere, int(everywhere))
                count.before = max(count.before, int(before or 0))
            self._workers = int(answers[-1])
        self._near = {
            count for count, _ in news if count.minute == minute and count.everywhere >= self._per_minute * _NEAR
        }

    async def _share_for_ever(self, redis: Redis) -> None:
        while not self._stopping:
            try:
                await self.share(redis)
                self.reachable = True
            except Exception as error:  # noqa: BLE001 - whatever it is: who stops to share counts alone for ever
                if self.reachable is not False:
                    log.warning(Event.CALLER_RATE_UNSHARED, reason=type(error).__name__)
                self.reachable = False
            await asyncio.sleep(SHARE_SECONDS)


def _seconds(allowed: int, before: int, now: int, left: float) -> int:
    """Return after how many seconds one request more is within the rate.

    Args:
        allowed: in a minute.
        before: sent in the minute before.
        now: sent in this minute.
        left: part of this minute that is left.
    """
    # Once so much less of the minute before counts; or, in the next minute, so much less of this one.
    minutes = left - (allowed - now) / before if now < allowed else left + 1 - allowed / now
    return int(minutes * WINDOW_SECONDS + 0.001) + 1  # at the very end of the time it is still one too many
