"""A real Redis that forgets, or was away: its workers remember, and tell each other again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.auth.revocation import MARK, STREAM, Revocations, Unshared
from service.cache import STREAM_TIMEOUT_SECONDS, build_redis
from tests.support.redis_server import redis_server
from tests.support.relay import free_port

pytestmark = pytest.mark.requirement("REVOCATIONS-RETOLD")

SECONDS = 330
# Of the requirement.
WITHIN_S = 5


@asynccontextmanager
async def worker(url: str) -> AsyncIterator[Revocations]:
    """Yield what a worker knows of ended sessions, while it follows Redis."""
    revocations = Revocations(SECONDS, build_redis(url, STREAM_TIMEOUT_SECONDS))
    await revocations.start()
    try:
        yield revocations
    finally:
        await revocations.stop()


async def soon(condition: Callable[[], bool], seconds: float = WITHIN_S) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def entries(url: str) -> list[str]:
    async with Redis.from_url(url, decode_responses=True) as store:
        return [fields["value"] for _, fields in await store.xrange(STREAM)]


@pytest.mark.parametrize("lost", ["FLUSHALL", f"DEL {STREAM}"])
def test_what_redis_forgot_a_new_worker_learns_all_the_same(tmp_path: Path, lost: str) -> None:
    async def main(url: str) -> None:
        async with worker(url) as first, worker(url) as second:
            await first.revoke("sid", "ended", time.time())
            await first.revoke("sub", "person", time.time())
            await first.revoke("sid", "long ago", time.time() - SECONDS - 1)
            await soon(lambda: second.size == 3)
            async with Redis.from_url(url) as store:
                await store.execute_command(*lost.split())
            async with worker(url) as late:
                await soon(lambda: late.size == 2)
                assert late.cover("ended", "x", time.time())
                assert late.cover(None, "person", time.time() - 10)
                assert not late.cover("long ago", "x", time.time())

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))


def test_what_ended_during_an_outage_is_told_after_it(tmp_path: Path) -> None:
    port = free_port()

    async def main(url: str) -> None:
        async with worker(url) as told, worker(url) as other:
            with redis_server(tmp_path, port):
                await soon(lambda: bool(told.reachable and other.reachable))
                await told.revoke("sid", "before", time.time())
                await soon(lambda: other.size == 1)
            await soon(lambda: told.reachable is False and other.reachable is False)
            with pytest.raises(Unshared):
                await told.revoke("sid", "meanwhile", time.time())
            assert not other.cover("meanwhile", "x", time.time())
            with redis_server(tmp_path, port):  # it holds nothing of before
                await soon(lambda: other.cover("meanwhile", "x", time.time()))
                async with worker(url) as late:
                    await soon(lambda: late.size == 2)

    asyncio.run(main(f"redis://127.0.0.1:{port}/0"))


def test_what_redis_had_no_room_for_is_told_when_it_has(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        async with worker(url) as told, worker(url) as other, Redis.from_url(url) as store:
            await told.revoke("sid", "before", time.time())
            await soon(lambda: other.size == 1)
            await store.config_set("maxmemory", 1)
            with pytest.raises(Unshared, match="OutOfMemoryError"):
                await told.revoke("sid", "meanwhile", time.time())
            await soon(lambda: told.reachable is False)
            assert not other.cover("meanwhile", "x", time.time())
            await store.config_set("maxmemory", 0)
            await soon(lambda: other.cover("meanwhile", "x", time.time()))

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))


def test_what_another_worker_told_first_hides_no_loss(tmp_path: Path) -> None:
    """Mark and stream are there again, with news; what was in it before is missing all the same."""

    async def main(url: str) -> None:
        async with worker(url) as first:
            await first.revoke("sid", "old", time.time())
            async with Redis.from_url(url) as store, store.pipeline() as at_once:
                at_once.flushall().set(MARK, "another").xadd(STREAM, {"kind": "sid", "value": "new", "at": "1"})
                await at_once.execute()
            async with worker(url) as late:
                await soon(lambda: late.cover("old", "x", time.time()) and late.cover("new", "x", 1))

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))


def test_nobody_tells_what_the_stream_has(tmp_path: Path) -> None:
    """After a loss each worker tells at most once; otherwise only the one that was told."""

    async def main(url: str) -> None:
        async with worker(url) as first, worker(url) as second, worker(url) as third:
            await first.revoke("sid", "a", time.time())
            await soon(lambda: second.size == third.size == 1)
            assert await entries(url) == ["a"]
            async with Redis.from_url(url) as store:
                await store.flushall()
            async with worker(url) as late:
                await soon(lambda: late.size == 1)
                for number in range(3):  # each is news, upon which all look at the stream again
                    await first.revoke("sid", str(number), time.time())
                    await soon(lambda number=number: second.size == third.size == late.size == number + 2)
            found = await entries(url)
            assert 1 <= found.count("a") <= 3
            assert [value for value in found if value != "a"] == ["0", "1", "2"]

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))
