"""Sessions that ended before their tokens expire.

Kept in memory, so a call never waits for it. With Redis every worker follows one stream and knows within a second what
another was told; without Redis there is one worker. While Redis is away each worker knows what it was told itself. What
the stream lacks when Redis is back, empty or not, the workers tell again: each of them has all of it.

The identity of what is revoked is the session or the person, never the bytes of a token: ES256 has a second valid
signature for the same content.
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

STREAM: Final = "secure-mcp:revocations"
MARK: Final = "secure-mcp:revocations:mark"
"""Stands for the memory of Redis: where it is another than before, or none, something was forgotten."""
MAX_ENTRIES: Final = 100_000
_BLOCK_MILLISECONDS: Final = 1000
_RETRY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Unshared(Exception):
    """Redis could not be told what ended; the text is the class of its error."""


class Revocations:
    """What ended before its time.

    Args:
        seconds: how long an entry is needed: the longest life of an access token and the leeway.
        redis: shares entries between workers; None keeps them in this process.
        clock: seconds since the epoch.
    """

    def __init__(self, seconds: int, redis: Redis | None = None, clock: Callable[[], float] = time.time) -> None:
        self._seconds = seconds
        self._redis = redis
        self._clock = clock
        self._entries: dict[tuple[str, str], float] = {}
        self._follower: asyncio.Task[None] | None = None
        self._mark: str | None = None
        self._stopping = False
        self.reachable: bool | None = None
        """Whether Redis answered last; None where there is none to ask."""

    @property
    def size(self) -> int:
        """How many sessions and people are known as ended."""
        return len(self._entries)

    def cover(self, session_id: str | None, subject: str, issued_at: float) -> bool:
        """Say whether a token is revoked.

        Args:
            session_id: `sid`; a session that ended never comes back.
            subject: `sub`; everything issued to the person until the revocation has ended.
            issued_at: `iat`, seconds since the epoch.
        """
        if not self._entries:
            return False
        if session_id is not None and ("sid", session_id) in self._entries:
            return True
        return issued_at <= self._entries.get(("sub", subject), -1.0)

    async def revoke(self, kind: str, value: str, at: float) -> None:
        """End a session or everything of a person, here at once and elsewhere by the stream.

        Args:
            kind: `sid` or `sub`.
            value: of that claim.
            at: when it ended, seconds since the epoch.

        Raises:
            Unshared: it holds in this process; the others are told when Redis is back.
        """
        self._add(kind, value, float(at))
        if self._redis is not None:
            try:
                await self._tell(self._redis, kind, value, float(at))
            except Exception as error:  # uvloop, below redis, raises RuntimeError where a connection was reset
                self._mark = None
                raise Unshared(type(error).__name__) from error

    async def start(self) -> None:
        """Learn what others were told, and follow."""
        if self._redis is not None:
            self._follower = asyncio.create_task(self._follow_for_ever(self._redis))

    async def stop(self) -> None:
        """Stop following."""
        self._stopping = True  # for redis swallows a cancellation that comes together with news
        if self._follower is not None:
            self._follower.cancel()
            with suppress(asyncio.CancelledError):
                await self._follower
        if self._redis is not None:
            await self._redis.aclose()

    def _add(self, kind: str, value: str, at: float) -> None:
        if len(self._entries) >= MAX_ENTRIES:
            needed = self._clock() - self._seconds
            self._entries = {entry: then for entry, then in self._entries.items() if then > needed}
            if len(self._entries) >= MAX_ENTRIES:
                del self._entries[next(iter(self._entries))]
        self._entries[kind, value] = max(at, self._entries.get((kind, value), 0.0))

    async def _tell(self, redis: Redis, kind: str, value: str, at: float) -> None:
        entry: Any = {"kind": kind, "value": value, "at": at}
        await redis.xadd(STREAM, entry, maxlen=MAX_ENTRIES, approximate=True)

    async def _tell_what_is_missing(self, redis: Redis) -> None:
        """Tell again what the stream has not, after Redis forgot it or could not be told."""
        mark: Any = await redis.get(MARK)
        if mark is not None and mark == self._mark and (not self._entries or await redis.exists(STREAM)):
            return
        if mark is None:
            await redis.set(MARK, secrets.token_hex(8), nx=True)
            mark = await redis.get(MARK)
        self._mark = mark  # from here on whatever fails takes it back
        found: Any = await redis.xrange(STREAM, self._first_needed())
        there = {(fields.get("kind"), fields.get("value"), fields.get("at")) for _, fields in found}
        needed = self._clock() - self._seconds
        missing = [
            (kind, value, at)
            for (kind, value), at in self._entries.items()
            if at > needed and (kind, value, str(at)) not in there
        ]
        for kind, value, at in missing:
            await self._tell(redis, kind, value, at)
        if missing:
            log.info(Event.REVOCATIONS_RETOLD, number=len(missing))

    def _first_needed(self) -> str:
        # Ids of the stream are times of Redis's clock, so begin somewhat earlier.
        return f"{int((self._clock() - self._seconds - 60) * 1000)}-0"

    async def _follow_for_ever(self, redis: Redis) -> None:
        last = self._first_needed()
        while not self._stopping:
            try:
                streams: Any = await redis.xread({STREAM: last}, block=_BLOCK_MILLISECONDS)
                for _, entries in streams or ():
                    for last, fields in entries:  # noqa: B007 - the id of the last entry is where to go on
                        self._add(fields["kind"], fields["value"], float(fields["at"]))
                self.reachable = True
                await self._tell_what_is_missing(redis)
            except Exception as error:  # noqa: BLE001 - whatever it is: who stops to follow is deaf for ever
                if self.reachable is not False:
                    log.warning(Event.REVOCATIONS_UNSHARED, reason=type(error).__name__)
                self.reachable, self._mark = False, None
                await asyncio.sleep(_RETRY_SECONDS)
