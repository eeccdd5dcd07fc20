"""The rate of one caller over several workers that share a real Redis, lose it, and find it again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from service.auth import rate as module
from service.auth.rate import COUNTS, CallerRate
from service.cache import TIMEOUT_SECONDS, build_redis
from tests.support.redis_server import redis_server
from tests.support.relay import free_port

pytestmark = pytest.mark.requirement("CALLER-RATE")

RATE = 120


@asynccontextmanager
async def workers(url: str, number: int, expected: int = 1) -> AsyncIterator[list[CallerRate]]:
    """Yield what workers count, on whatever nodes, while they share one Redis.

    Each expects so many others until Redis has told it how many there are.
    """
    all_of_them = [CallerRate(RATE, build_redis(url, TIMEOUT_SECONDS), expected) for _ in range(number)]
    for one in all_of_them:
        await one.start()
    try:
        yield all_of_them
    finally:
        for one in all_of_them:
            await one.stop()


async def soon(condition: Any, seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def early_in_a_minute() -> None:
    """Return when a minute does not end soon: the numbers below are those of one minute."""
    async with asyncio.timeout(20):
        while time.time() % 60 > 45:
            await asyncio.sleep(0.1)


def granted(rate: CallerRate, number: int, subject: str = "ada") -> int:
    return sum(rate.wait(subject) == 0 for _ in range(number))


def test_what_one_worker_counted_the_others_know_within_a_second(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        await early_in_a_minute()
        async with workers(url, 3) as (first, second, third):
            assert granted(first, 50) + granted(second, 60) == 110
            await soon(lambda: all(one.reachable for one in (first, second, third)))
            third.wait("ada")  # whoever never called here is not looked up: its first call is let through
            await soon(lambda: third._counts["ada"].everywhere == 111, 2)
            assert granted(third, 100) == 9
            await soon(lambda: first.wait("ada") > 0, 2)
            assert granted(third, 100, "grace") == 100

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))


def test_the_minute_before_counts_for_a_worker_that_did_not_see_it(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        await early_in_a_minute()
        async with Redis.from_url(url) as store:
            await store.hset(f"{COUNTS}{int(time.time() // 60) - 1}", "ada", str(100 * RATE))
        async with workers(url, 1) as (late,):
            assert late.wait("ada") == 0
            await soon(lambda: late.wait("ada") > 0, 2)
            assert 1 <= late.wait("ada") <= 60

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))


def test_without_redis_each_worker_grants_its_share_and_they_agree_when_it_is_back(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        await early_in_a_minute()
        with redis_server(tmp_path, port) as url:
            opened = workers(url, 3)
            first, second, third = await opened.__aenter__()
            everybody = (first, second, third)
            await soon(lambda: [one._workers for one in everybody] == [3, 3, 3])
        try:
            await soon(lambda: not any(one.reachable for one in everybody))
            assert [granted(one, 1000) for one in everybody] == [RATE // 3] * 3
            assert granted(first, 1000, "grace") == RATE // 3
            with redis_server(tmp_path, port):
                await soon(lambda: all(one.reachable for one in everybody))
                # An outage that took what was counted gives at most one rate more in that minute, to all of them.
                assert sum(granted(one, 1000, "lovelace") for one in everybody) <= 3 * RATE
                await soon(lambda: all(one.wait("lovelace") > 0 for one in everybody), 3)
        finally:
            await opened.__aexit__(None, None, None)

    asyncio.run(main(free_port()))


def test_a_worker_that_starts_without_redis_grants_no_more_than_its_share(tmp_path: Path) -> None:
    async def main() -> None:
        await early_in_a_minute()
        async with workers(f"redis://127.0.0.1:{free_port()}/0", 4, expected=4) as everybody:
            await soon(lambda: all(one.reachable is False for one in everybody))
            assert [granted(one, 1000) for one in everybody] == [RATE // 4] * 4

    asyncio.run(main())


def test_each_caller_is_told_by_its_name_and_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that stands still, and in pieces of two callers."""
    monkeypatch.setattr(module, "_BATCH", 2)
    minute, callers = 30_000_000, {"ada": 3, "grace": 20, "lovelace": 5, "hopper": 1, "noether": 2}

    async def main(url: str) -> None:
        async with Redis.from_url(url, decode_responses=True) as store:
            await store.hset(f"{COUNTS}{minute - 1}", mapping={"ada": "7", "hopper": "9"})
            rate = CallerRate(1000, store, clock=lambda: minute * 60 + 1.0)
            for times in (1, 2):
                for name, number in callers.items():
                    assert granted(rate, number, name) == number
                await rate.share(store)
                expected = {name: str(number * times) for name, number in callers.items()}
                assert await store.hgetall(f"{COUNTS}{minute}") == expected
                assert {name: rate._counts[name].everywhere for name in callers} == {
                    name: number * times for name, number in callers.items()
                }
            assert {name: rate._counts[name].before for name in callers} == dict.fromkeys(callers, 0) | {
                "ada": 7,
                "hopper": 9,
            }

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))


def test_who_is_near_the_rate_is_looked_up_until_the_minute_is_over(tmp_path: Path) -> None:
    now = 60.0 * 30_000_000

    async def main(url: str) -> None:
        nonlocal now
        async with Redis.from_url(url, decode_responses=True) as store:
            first, second = (CallerRate(RATE, store, clock=lambda: now) for _ in range(2))
            granted(first, RATE // 2 - 1, "grace")
            granted(first, RATE // 2)
            await first.share(store)
            granted(second, RATE // 2)
            granted(second, RATE // 2, "grace")
            await second.share(store)
            await first.share(store)
            assert first._counts["ada"].everywhere == RATE
            assert first._counts["grace"].everywhere == RATE // 2 - 1
            assert first.wait("ada") > 0
            now += 60
            await first.share(store)
            assert first._near == set()

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))


def test_an_outage_is_told_once() -> None:
    async def main() -> None:
        async with workers(f"redis://127.0.0.1:{free_port()}/0", 1) as (rate,):
            await soon(lambda: rate.reachable is False)
            rate.wait("ada")
            await soon(lambda: not rate._untold)

    with capture_logs() as lines:
        asyncio.run(main())
    assert [(line["event"], line["reason"]) for line in lines] == [("caller_rate_unshared", "ConnectionError")]


@pytest.mark.parametrize(("per_minute", "sharers", "share"), [(10, 4, 2), (2, 4, 1), (1, 1, 1)])
def test_a_share_is_a_whole_number_and_never_none(per_minute: int, sharers: int, share: int) -> None:
    rate = CallerRate(per_minute, workers=sharers)
    rate.reachable = False
    assert granted(rate, 100) == share


def test_redis_forgets_what_nobody_needs(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        async with workers(url, 1) as (rate,), Redis.from_url(url) as store:
            rate.wait("ada")
            await soon(lambda: not rate._untold)
            await soon(lambda: rate.reachable)
            for name in [name async for name in store.scan_iter("secure-mcp:requests:*")]:
                assert 60 < await store.ttl(name) <= 180

    with redis_server(tmp_path) as url:
        asyncio.run(main(url))
