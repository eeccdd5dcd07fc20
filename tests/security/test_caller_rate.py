"""The rate of one caller over several workers: with a real Redis, without it, and through the real service."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from service.auth.rate import COUNTS, CallerRate
from service.cache import TIMEOUT_SECONDS, build_redis
from tests.security.issuer import FakeIssuer
from tests.security.steps import make
from tests.security.system import Service, service
from tests.security.wire import Answer, call_echo, connection, request
from tests.support.redis_server import redis_server
from tests.support.relay import free_port
from tests.support.until import until

pytestmark = pytest.mark.requirement("CALLER-RATE")

RATE, WORKERS = 120, 4
# What a worker lets through until it has heard of the others, once in half a second.
LATE = 30


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


@dataclass(frozen=True)
class Caller:
    """Calls the service with a token of one person, on a new connection each time."""

    running: Service
    subject: str
    client: str = "mcp-automation"

    def call(self, request_id: str = "") -> Answer:
        target, headers, body = call_echo("mcp")
        token = make("ES256", [{"claims": {"sub": self.subject, "azp": self.client}}], self.running.world)
        headers.append(b"Authorization: Bearer " + token.encode())
        if request_id:
            headers.append(b"X-Request-ID: " + request_id.encode())
        with connection(self.running.origin) as opened:
            opened.send(request("POST", target, headers, body, host=self.running.host))
            return opened.answer()

    def statuses(self, number: int) -> Counter[int]:
        return Counter(self.call().status for _ in range(number))


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def running(issuer: FakeIssuer, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "WORKERS": str(WORKERS),
        "CALLER_REQUESTS_PER_MINUTE": str(RATE),
    }
    folder = tmp_path_factory.mktemp("caller-rate")
    with redis_server(folder, port), service(issuer.issuer("shared"), folder, **settings) as found:
        yield found


def refused_by_all(caller: Caller) -> int:
    """Call now and then until every worker refuses, and return how often a call was let through on the way."""
    through = in_a_row = 0

    def refused() -> bool:
        nonlocal through, in_a_row
        let_through = caller.call().status == 200
        through += let_through
        in_a_row = 0 if let_through else in_a_row + 1
        return in_a_row == 5 * WORKERS

    until(refused, 20, "every worker to refuse")
    return through


def test_a_caller_gets_its_rate_from_all_workers_together(running: Service) -> None:
    caller = Caller(running, "eager")
    statuses = caller.statuses(RATE)
    assert statuses.keys() <= {200, 429}
    through = statuses[200] + refused_by_all(caller)
    assert RATE <= through <= RATE + LATE
    # Another client of the same person has no rate of its own; another person has.
    assert Caller(running, "eager", "mcp-cli").statuses(2 * WORKERS) == {429: 2 * WORKERS}
    assert Caller(running, "modest").statuses(RATE // 2) == {200: RATE // 2}


def test_who_is_refused_is_told_when_to_come_back_and_the_audit_trail_says_why(running: Service) -> None:
    caller = Caller(running, "curious")
    caller.statuses(RATE)
    refused_by_all(caller)
    answer = caller.call("too-eager")
    assert answer.status == 429
    assert 1 <= int(answer.all("retry-after")[0]) <= 121
    assert answer.all("www-authenticate") == []  # other credentials would not help
    assert answer.all("cache-control") == ["no-store"]
    assert answer.json() == {
        "error": "too_many_requests",
        "error_description": "Too many requests of one caller. Wait as long as Retry-After says",
        "request_id": "too-eager",
    }
    until(lambda: '"too-eager"' in running.log.read_text(), 10, "the line of the refusal")
    lines = [json.loads(line) for line in running.log.read_text().splitlines() if '"too-eager"' in line]
    (line,) = [line for line in lines if line["event"] == "access_denied"]
    assert (line["reason"], line["status"], line["sub"], line["tool"]) == (
        "caller_rate_limited",
        429,
        "curious",
        "echo",
    )


def test_a_refused_call_costs_nothing_of_the_rate(running: Service) -> None:
    """Neither one without the scope nor one that was malformed: what is counted is what is let through."""
    caller = Caller(running, "clumsy")
    target, headers, _ = call_echo("mcp")
    token = make("ES256", [{"claims": {"sub": "clumsy"}}], running.world)
    headers.append(b"Authorization: Bearer " + token.encode())
    for _ in range(RATE):
        with connection(running.origin) as opened:
            opened.send(request("POST", target, headers, b"[]", host=running.host))
            assert opened.answer().status == 400
    assert caller.statuses(RATE // 2) == {200: RATE // 2}
