"""How workers tell each other what ended: a stream in Redis, and what holds while it is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisDown
from structlog.testing import capture_logs

from service.auth import revocation as module
from service.auth.revocation import STREAM, Revocations, Unshared

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS")

NOW = 1_800_000_000.5
SECONDS = 330


class Stream:
    """A Redis that has one stream, shared by every worker that is given it."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, dict[str, str]]] = []
        self.asked: list[tuple[dict[str, str], int | None]] = []
        self.added: list[dict[str, Any]] = []
        self.away = 0
        self.error: Exception = RedisDown()
        self.changed = asyncio.Event()
        self.closed = False

    async def xadd(self, name: str, fields: dict[str, Any], **options: Any) -> None:
        assert name == STREAM
        self.added.append(options)
        self.append({key: str(value) for key, value in fields.items()})

    def append(self, fields: dict[str, str]) -> None:
        self.entries.append((f"{int(NOW * 1000) + len(self.entries)}-0", fields))
        self.changed.set()

    async def xread(self, streams: dict[str, str], block: int | None = None) -> Any:
        self.asked.append((dict(streams), block))
        if self.away:
            self.away -= 1
            raise self.error
        (after,) = streams.values()
        found = [entry for entry in self.entries if entry[0] > after]
        if not found:
            self.changed.clear()
            await self.changed.wait()
            return None
        return [(STREAM, found)]

    async def get(self, name: str) -> str:
        """It never forgets; tests/security/test_revocations_retold.py has a Redis that does."""
        assert name == module.MARK
        return "the same for ever"

    async def exists(self, name: str) -> int:
        return int(name == STREAM and bool(self.entries))

    async def xrange(self, name: str, first: str) -> list[tuple[str, dict[str, str]]]:
        assert name == STREAM
        return [entry for entry in self.entries if entry[0] >= first]

    async def aclose(self) -> None:
        self.closed = True


def run(test: Callable[[Stream, Revocations, Revocations], Awaitable[None]]) -> list[Any]:
    """Run a test with two workers that follow one stream, and return what was logged."""

    async def main() -> None:
        stream = Stream()
        told, other = (Revocations(SECONDS, stream, lambda: NOW) for _ in range(2))  # type: ignore[arg-type]
        await told.start()
        await other.start()
        await test(stream, told, other)
        await told.stop()
        await other.stop()
        assert stream.closed

    with capture_logs() as lines:
        asyncio.run(main())
    return lines


async def soon(condition: Callable[[], bool]) -> None:
    """Let the other tasks run until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


def test_what_one_worker_is_told_the_other_learns() -> None:
    async def test(stream: Stream, told: Revocations, other: Revocations) -> None:
        await told.revoke("sid", "s", NOW)
        await told.revoke("sub", "p", NOW)
        assert told.cover("s", "x", NOW + 100)
        await soon(lambda: other.cover("s", "x", NOW + 100))
        await soon(lambda: other.cover(None, "p", NOW))
        assert not other.cover(None, "p", NOW + 1)
        assert not other.cover("another", "another", NOW)
        assert stream.added == [{"maxlen": module.MAX_ENTRIES, "approximate": True}] * 2
        assert stream.entries[0][1] == {"kind": "sid", "value": "s", "at": str(NOW)}

    run(test)


def test_a_new_worker_reads_what_may_still_matter() -> None:
    """From the longest life of a token ago, and a minute more, for the stream has the clock of Redis."""

    async def test(stream: Stream, told: Revocations, other: Revocations) -> None:
        await soon(lambda: len(stream.asked) >= 2)
        assert stream.asked[0] == ({STREAM: f"{int((NOW - SECONDS - 60) * 1000)}-0"}, 1000)

    run(test)


def test_it_goes_on_behind_what_it_has_read() -> None:
    async def test(stream: Stream, told: Revocations, other: Revocations) -> None:
        await told.revoke("sid", "first", NOW)
        await soon(lambda: other.cover("first", "x", NOW))
        stream.asked.clear()
        await told.revoke("sid", "second", NOW)
        await soon(lambda: other.cover("second", "x", NOW))
        assert {id_ for streams, _ in stream.asked for id_ in streams.values()} <= {id_ for id_, _ in stream.entries}

    run(test)


@pytest.mark.parametrize("fields", [{}, {"kind": "sid"}, {"kind": "sid", "value": "s", "at": "x"}])
def test_an_entry_that_is_none_stops_nothing(fields: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.0)

    async def test(stream: Stream, told: Revocations, other: Revocations) -> None:
        stream.append(fields)
        await told.revoke("sid", "good", NOW)
        await soon(lambda: other.cover("good", "x", NOW))
        assert not other.cover("s", "x", NOW)

    run(test)


# A connection that was reset: uvloop, below redis-py, raises RuntimeError where it is written to.
@pytest.mark.parametrize("error", [RedisDown(), OSError(), EOFError(), RuntimeError("the handler is closed")])
def test_an_outage_of_redis_is_logged_once_and_made_good(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.0)

    async def test(stream: Stream, told: Revocations, other: Revocations) -> None:
        stream.error = error
        for outage in ("first", "second"):
            stream.away = 6
            stream.changed.set()
            await soon(lambda: stream.away == 0)
            await told.revoke("sid", outage, NOW)
            await soon(lambda name=outage: other.cover(name, "x", NOW) and told.cover(name, "x", NOW))
            await asyncio.sleep(0)

    lines = [line for line in run(test) if line["event"] == "revocations_unshared"]
    assert len(lines) == 4  # two workers, two outages
    assert lines[0] == {"event": "revocations_unshared", "reason": type(error).__name__, "log_level": "warning"}


def test_without_redis_nothing_is_followed() -> None:
    async def main() -> None:
        alone = Revocations(SECONDS)
        await alone.start()
        await alone.revoke("sid", "s", NOW)
        assert alone.cover("s", "x", NOW)
        await alone.stop()

    asyncio.run(main())


def test_a_later_end_of_a_person_wins() -> None:
    async def main() -> None:
        alone = Revocations(SECONDS, None, lambda: NOW)
        await alone.revoke("sub", "p", NOW)
        await alone.revoke("sub", "p", NOW - 50)
        assert alone.cover(None, "p", NOW)
        await alone.revoke("sub", "long ago", 0.25)
        assert not alone.cover(None, "long ago", 0.5)

    asyncio.run(main())


def test_only_what_is_over_is_forgotten_when_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)

    async def main() -> None:
        alone = Revocations(SECONDS, None, lambda: NOW)
        for name, age in (("nearly", SECONDS - 1), ("over", SECONDS), ("new", 0)):
            await alone.revoke("sid", name, NOW - age)
        await alone.revoke("sid", "newest", NOW)
        found = [name for name in ("over", "nearly", "new", "newest") if alone.cover(name, "x", NOW)]
        assert found == ["nearly", "new", "newest"]
        await alone.revoke("sid", "one more", NOW)
        found = [name for name in ("nearly", "new", "newest", "one more") if alone.cover(name, "x", NOW)]
        assert found == ["new", "newest", "one more"]

    asyncio.run(main())


def test_a_cancellation_that_comes_with_news_ends_it_all_the_same() -> None:
    """redis-py returns what it has read and forgets that it was cancelled; seen with redis 8 and a real server."""

    class Deaf(Stream):
        cancelled = 0

        async def xread(self, streams: dict[str, str], block: int | None = None) -> Any:
            try:
                return await super().xread(streams, block)
            except asyncio.CancelledError:
                self.cancelled += 1
                if self.cancelled > 1:
                    raise
                return None

    async def main() -> None:
        stream = Deaf()
        follower = Revocations(SECONDS, stream, lambda: NOW)  # type: ignore[arg-type]
        await follower.start()
        await soon(lambda: bool(stream.asked))
        await asyncio.wait_for(follower.stop(), 5)
        assert stream.cancelled == 1

    asyncio.run(main())


@pytest.mark.requirement("REVOCATIONS-RETOLD")
def test_what_could_not_be_told_while_something_else_is_told_again_is_told_later() -> None:
    class Slow(Stream):
        def __init__(self) -> None:
            super().__init__()
            self.failing = {"early", "late"}
            self.telling, self.go_on = asyncio.Event(), asyncio.Event()

        async def xadd(self, name: str, fields: dict[str, Any], **options: Any) -> None:
            if fields["value"] in self.failing:
                self.failing.remove(fields["value"])
                raise RedisDown
            self.telling.set()
            await self.go_on.wait()
            await super().xadd(name, fields, **options)

    async def main() -> None:
        stream = Slow()
        told = Revocations(SECONDS, stream, lambda: NOW)  # type: ignore[arg-type]
        await told.start()
        with pytest.raises(Unshared, match="ConnectionError"):
            await told.revoke("sid", "early", NOW)
        stream.append({"kind": "sid", "value": "news", "at": str(NOW)})
        await asyncio.wait_for(stream.telling.wait(), 5)
        with pytest.raises(Unshared, match="ConnectionError"):
            await told.revoke("sid", "late", NOW)
        stream.go_on.set()
        await soon(lambda: {fields["value"] for _, fields in stream.entries} == {"news", "early", "late"})
        await told.stop()

    asyncio.run(main())
