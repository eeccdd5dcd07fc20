"""How keys are fetched: what is asked, what is taken, what is written down (service/auth/keys.py)."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from aiocache import SimpleMemoryCache
from structlog.testing import capture_logs

from service.auth import keys as module
from service.auth.errors import KeysUnavailable
from service.auth.keys import JwksKeySource
from tests.security.keyring import jwk

pytestmark = pytest.mark.requirement("RFC7517-KEYS")

ISSUER = "http://localhost:8080/realms/mcp-realm"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
CERTS = f"{ISSUER}/protocol/openid-connect/certs"
GOOD = jwk("ES256", "ES256", alg="ES256", use="sig")


class Server:
    """An authorization server without a network."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.keys: list[Any] = [GOOD]
        self.fail: httpx.Response | Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def fetches(self) -> int:
        return len([request for request in self.requests if str(request.url) == CERTS])

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.fail, Exception):
            raise self.fail
        if self.fail is not None:
            return self.fail
        if str(request.url).endswith("/certs"):
            answer = httpx.Response(200, json={"keys": self.keys})
            await self.gate.wait()
            return answer
        return httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": CERTS})


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Shared(SimpleMemoryCache):  # type: ignore[misc]
    """What other processes have shared."""

    def __init__(self, entry: dict[str, Any]) -> None:
        super().__init__()
        self._entry = entry

    async def get(self, key: str, *_: Any, **__: Any) -> Any:
        assert key == "secure-mcp:jwks"
        return json.dumps(self._entry)


Test = Callable[[JwksKeySource, Server, Clock], Awaitable[None]]


def run(test: Test, cache: Any = None, ttl: int = 300) -> list[Any]:
    """Run a test with a source and return what was logged."""
    server, clock = Server(), Clock()

    async def main() -> None:
        source = JwksKeySource(
            issuer=ISSUER,
            internal_url=None,
            ttl=ttl,
            cache=cache if cache is not None else SimpleMemoryCache(namespace=str(id(server))),
            transport=httpx.MockTransport(server),
            clock=clock,
            steady=clock,
        )
        try:
            await test(source, server, clock)
        finally:
            await source.stop()

    with capture_logs() as lines:
        asyncio.run(main())
    return lines


def lines_of(lines: list[Any], event: str) -> list[dict[str, Any]]:
    found = [line for line in lines if line["event"] == event]
    return [{name: value for name, value in line.items() if name != "event"} for line in found]


def test_a_fetch_is_two_plain_requests() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        assert [(r.method, str(r.url), r.headers["accept"]) for r in server.requests] == [
            ("GET", DISCOVERY, "application/json"),
            ("GET", CERTS, "application/json"),
        ]
        assert not {"authorization", "cookie"} & set(server.requests[1].headers)

    run(test)


def test_what_metrics_read_adds_up() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        server.fail = httpx.Response(503)
        for _ in range(2):
            with pytest.raises(KeysUnavailable):
                await source.key("ES256")
            clock.now += 60
        server.fail = None
        for kid in ("one", "two"):
            server.keys = [GOOD, jwk("ES256", kid, use="enc")]
            await source.key("ES256")
            assert await source.key(f"not {kid}") is None
            clock.now += 60
        found = source.statistics
        assert (found.failures, found.successes, found.dropped) == (2, 3, 2)

    run(test)


def test_what_is_taken_and_dropped_is_logged_once() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        server.keys = [GOOD, jwk("ES256", "enc", use="enc"), {"kid": 5}]
        assert await source.key("ES256")
        assert await source.key("nobody") is None

    lines = run(test)
    assert lines_of(lines, "jwks_changed") == [{"keys": ["ES256"], "log_level": "info"}]
    assert lines_of(lines, "jwk_dropped") == [
        {"kid": "'enc'", "reason": "use", "log_level": "info"},
        {"kid": "5", "reason": "no_kid", "log_level": "info"},
    ]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (httpx.Response(500), "status_500"),
        (httpx.Response(302, headers={"location": "https://evil.example"}), "status_302"),
        (httpx.Response(200, json={"issuer": ISSUER + "/", "jwks_uri": CERTS}), "another_issuer"),
        (httpx.Response(200, json=[]), "another_issuer"),
        (httpx.Response(200, json={"issuer": ISSUER}), "no_jwks_uri"),
        (httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": 5}), "no_jwks_uri"),
        (httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": "https://evil.example/certs"}), "foreign_jwks_uri"),
        (httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": ISSUER}), "foreign_jwks_uri"),
        (httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": f"{ISSUER}/certs\n"}), "InvalidURL"),
        (httpx.Response(200, content=b" " * (64 * 1024 + 1)), "too_large"),
        (httpx.Response(200, content=b"<html>"), "JSONDecodeError"),
        (httpx.ConnectError("x"), "ConnectError"),
        (httpx.ReadTimeout("x"), "ReadTimeout"),
        (RuntimeError("the handler is closed"), "RuntimeError"),
        (httpx.Response(200, content=b"[" * 60_000), "RecursionError"),
        (httpx.Response(200, content=b'"\xff"'), "UnicodeDecodeError"),
    ],
)
def test_a_failure_is_logged_by_a_short_reason(failure: httpx.Response | Exception, reason: str) -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        server.fail = failure
        with pytest.raises(KeysUnavailable) as caught:
            await source.key("ES256")
        assert caught.value.retry_after == module.RETRY_AFTER_SECONDS

    lines = run(test)
    assert lines_of(lines, "jwks_fetch_failed") == [{"reason": reason, "keys_at_hand": False, "log_level": "warning"}]


def test_a_failure_with_keys_at_hand_says_so() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        server.fail = httpx.Response(503)
        with pytest.raises(KeysUnavailable):
            await source.key("nobody")

    assert {line["keys_at_hand"] for line in lines_of(run(test), "jwks_fetch_failed")} == {True}


def test_a_key_set_of_just_the_allowed_size_is_taken() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        body = json.dumps({"keys": [GOOD]}).encode()
        server.keys = []
        original = Server.__call__

        async def padded(request: httpx.Request) -> httpx.Response:
            answer = await original(server, request)
            return httpx.Response(200, content=body.ljust(64 * 1024)) if str(request.url) == CERTS else answer

        source._client._transport = httpx.MockTransport(padded)
        assert await source.key("ES256")

    run(test)


def test_a_slow_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FETCH_SECONDS", 0.05)

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        async def never(_request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

        source._client._transport = httpx.MockTransport(never)
        with pytest.raises(KeysUnavailable):
            await source.key("ES256")

    assert lines_of(run(test), "jwks_fetch_failed")[0]["reason"] == "TimeoutError"


def test_an_older_answer_never_replaces_a_newer_one() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        source._keep({"keys": [jwk("EdDSA", "EdDSA", alg="EdDSA")]}, clock.now - 1)
        assert await source.key("ES256")
        source._keep({"keys": [jwk("EdDSA", "EdDSA", alg="EdDSA")]}, clock.now)
        assert await source.key("EdDSA")

    run(test)


def test_a_set_without_a_usable_key_replaces_nothing() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        before = source.epoch
        source._keep({"keys": [jwk("ES256", "x", use="enc")]}, clock.now + 1)
        assert await source.key("ES256")
        assert source.epoch == before

    run(test)


def test_the_same_set_again_is_no_change() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        before = source.epoch
        clock.now += 10
        source._keep({"keys": [dict(GOOD)]}, clock.now)
        assert source.epoch == before
        source._keep({"keys": [jwk("attacker-ES256", "ES256", alg="ES256")]}, clock.now)
        assert source.epoch == before + 1

    run(test)


def test_keys_serve_up_to_their_cap_and_not_beyond() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert not source.ready
        assert await source.key("ES256")
        server.fail = httpx.Response(503)
        clock.now += module.MAX_STALE_SECONDS
        assert source.ready
        assert await source.key("ES256")
        clock.now += 1
        assert not source.ready
        with pytest.raises(KeysUnavailable):
            await source.key("ES256")
        server.fail = None
        assert await source.key("ES256")

    run(test)


def test_what_is_shared_says_whose_it_is_and_when_it_was_fetched() -> None:
    kept: dict[str, Any] = {}

    class Cache(SimpleMemoryCache):  # type: ignore[misc]
        async def set(self, key: str, value: Any, ttl: Any = None, **_: Any) -> bool:
            kept.update(key=key, value=json.loads(value), ttl=ttl)
            return True

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        wanted = {"issuer": ISSUER, "fetched_at": clock.now, "document": {"keys": [GOOD]}}
        assert kept == {"key": "secure-mcp:jwks", "value": wanted, "ttl": module.MAX_STALE_SECONDS}

    run(test, Cache())


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True),
        ({"issuer": "http://localhost:8080/realms/other"}, False),
        ({"fetched_at": Clock.now + 1}, False),
        ({"fetched_at": Clock.now}, True),
        ({"fetched_at": Clock.now - module.MAX_STALE_SECONDS - 1}, False),
        ({"document": {"keys": []}}, False),
    ],
)
def test_a_shared_set_is_taken_only_when_it_is_ours(change: dict[str, Any], taken: bool) -> None:
    entry = {"issuer": ISSUER, "fetched_at": Clock.now - 10, "document": {"keys": [GOOD]}, **change}

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        server.fail = httpx.Response(503)
        await source.start()
        assert source.ready is taken

    run(test, Shared(entry))


def test_a_broken_cache_is_logged_and_costs_nothing_else() -> None:
    class Cache(SimpleMemoryCache):  # type: ignore[misc]
        async def get(self, *_: Any, **__: Any) -> Any:
            return "{"

        async def set(self, *_: Any, **__: Any) -> Any:
            raise OSError

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        await source.start()
        assert await source.key("ES256")

    first, second, *_ = lines_of(run(test, Cache()), "jwks_cache_failed")
    assert first == {"operation": "get", "error": "JSONDecodeError", "log_level": "warning"}
    assert second == {"operation": "set", "error": "OSError", "log_level": "warning"}


def test_stop_closes_what_it_opened() -> None:
    closed: list[str] = []

    class Cache(SimpleMemoryCache):  # type: ignore[misc]
        async def close(self, *_: Any, **__: Any) -> None:
            closed.append("cache")

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        await source.start()
        await source.stop()
        assert closed == ["cache"]
        assert source._client.is_closed
        assert source._renewal is not None
        assert source._renewal.cancelled()

    run(test, Cache())


NEW = jwk("EdDSA", "EdDSA", alg="EdDSA", use="sig")


def test_an_unknown_kid_costs_one_fetch_and_a_known_one_none() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        assert await source.key("ES256")
        assert server.fetches == 1
        assert await source.key("nobody") is None
        assert server.fetches == 2

    run(test)


def test_a_fetch_that_began_before_the_question_is_no_answer() -> None:
    """It may have missed the key: whoever asks while it is under way waits for the next one."""

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        server.gate.clear()
        first = asyncio.create_task(source.key("nobody"))
        while server.fetches < 2:
            await asyncio.sleep(0)
        server.keys = [GOOD, NEW]
        second = asyncio.create_task(source.key("EdDSA"))
        await asyncio.sleep(0)
        server.gate.set()
        assert await first is None
        assert await second
        assert server.fetches == 3

    run(test)


class FakeTime:
    """Stands in for the module `time`; a sleep of the source moves it on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        real = asyncio.sleep

        async def sleep(seconds: float) -> None:
            if seconds:
                self.slept.append(seconds)
                self.now += seconds
            await real(0)

        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(module.asyncio, "sleep", sleep)


def test_strangers_have_two_fetches_and_one_more_every_30_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    passing = FakeTime(monkeypatch)

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        async def fetches_of(kid: str, seconds: float) -> int:
            passing.now += seconds
            before = server.fetches
            await source.key(kid)
            return server.fetches - before

        assert await source.key("ES256")
        assert [await fetches_of(f"a{number}", 0.001) for number in range(4)] == [1, 1, 0, 0]
        assert await fetches_of("b", 27.0) == 0  # 3 s to go: nobody waits so long
        assert passing.slept == []
        assert await fetches_of("c", 2.0) == 1  # 1 s to go: this one waits
        assert passing.slept == [pytest.approx(1.0, abs=0.01)]
        assert await fetches_of("d", 0.001) == 0
        assert await fetches_of("e", 30.0) == 1
        assert [await fetches_of(f"f{number}", 10_000 if number == 0 else 0.001) for number in range(4)] == [1, 1, 0, 0]

    run(test)


def test_a_fetch_under_way_that_finds_the_key_is_enough() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        server.keys = [GOOD, NEW]
        server.gate.clear()
        first = asyncio.create_task(source.key("nobody"))
        while server.fetches < 2:
            await asyncio.sleep(0)
        second = asyncio.create_task(source.key("EdDSA"))
        await asyncio.sleep(0)
        server.gate.set()
        assert await second
        assert await first is None
        assert server.fetches == 2

    run(test)


def test_when_nobody_could_be_asked_it_says_when_to_come_back() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert await source.key("ES256")
        server.fail = httpx.Response(503)
        for _ in range(4):
            with pytest.raises(KeysUnavailable) as caught:
                await source.key("nobody")
            assert caught.value.retry_after == module.RETRY_AFTER_SECONDS
        assert server.fetches == 1

    run(test)


def test_it_renews_at_four_fifths_and_tries_again_ever_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    spread: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        spread.append((low, high))
        return 1.25

    passing = FakeTime(monkeypatch)
    monkeypatch.setattr(module.random, "uniform", uniform)

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        monkeypatch.setattr(source, "_steady", lambda: 1_800_000_000.0 + passing.now)

        async def sleeps(count: int) -> list[float]:
            """Return the next pauses without the factor that spreads them."""
            begun = len(passing.slept)
            while len(passing.slept) < begun + count:
                await asyncio.sleep(0)
            return [seconds / 1.25 for seconds in passing.slept[begun : begun + count]]

        server.fail = httpx.Response(503)
        await source.start()
        assert await sleeps(3) == [1.0, 1.0, 1.0]  # without keys it is urgent
        server.fail = None
        while not source.ready:
            await asyncio.sleep(0)
        passing.slept.clear()
        assert await sleeps(2) == pytest.approx([0.8 * 300, 0.8 * 300])
        server.fail = httpx.Response(503)
        while source._failed is False:
            await asyncio.sleep(0)
        passing.slept.clear()
        assert await sleeps(6) == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
        assert set(spread) == {(0.9, 1.1)}

    run(test)


def test_the_first_fetch_begins_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passing = FakeTime(monkeypatch)

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        await source.start()
        while not server.fetches:
            await asyncio.sleep(0)
        assert passing.slept == []

    run(test)


def test_a_set_without_a_usable_key_is_a_failure() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        server.keys = [jwk("ES256", "x", use="enc")]
        with pytest.raises(KeysUnavailable):
            await source.key("ES256")

    assert [line["reason"] for line in lines_of(run(test), "jwks_fetch_failed")] == ["no_usable_key"]


def test_the_client_waits_no_longer_than_the_fetch_and_follows_nobody() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        assert source._client.timeout == httpx.Timeout(module.FETCH_SECONDS)
        assert source._client.follow_redirects is False

    run(test)


def test_an_answer_in_pieces_is_counted_and_read_as_a_whole() -> None:
    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        original, pieces = Server.__call__, 10

        async def in_pieces(request: httpx.Request) -> httpx.Response:
            body = (await original(server, request)).content.ljust(60_000)

            async def stream() -> AsyncIterator[bytes]:
                for at in range(pieces):
                    yield body[at * 6000 : (at + 1) * 6000] if at < 10 else b" " * 6000

            return httpx.Response(200, content=stream())

        source._client._transport = httpx.MockTransport(in_pieces)
        pieces = 11
        with pytest.raises(KeysUnavailable):
            await source.key("ES256")
        pieces = 10
        assert await source.key("ES256")

    assert lines_of(run(test), "jwks_fetch_failed")[0]["reason"] == "too_large"


def test_a_process_that_began_with_a_shared_set_asks_for_a_new_key() -> None:
    shared = {"issuer": ISSUER, "fetched_at": Clock.now - 10, "document": {"keys": [NEW]}}

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        await source._load_shared()
        assert source.statistics.fetched_at == pytest.approx(Clock.now - 10, abs=1)
        assert await source.key("EdDSA")
        assert server.fetches == 0
        assert await source.key("ES256")
        assert server.fetches == 1

    run(test, Shared(shared))


@pytest.mark.requirement("JWKS-SHARED")
def test_a_key_that_another_process_has_met_is_found_while_keycloak_is_away() -> None:
    shared = {"issuer": ISSUER, "fetched_at": Clock.now - 10, "document": {"keys": [NEW]}}

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        await source._load_shared()
        server.fail = httpx.Response(503)
        shared.update(fetched_at=Clock.now - 5, document={"keys": [NEW, GOOD]})
        assert await source.key("ES256")
        with pytest.raises(KeysUnavailable):
            await source.key("nobody")

    run(test, Shared(shared))


@pytest.mark.requirement("JWKS-SHARED")
@pytest.mark.parametrize("step", [-3600.0, 0.0, 3600.0])
def test_what_a_process_shared_itself_makes_its_set_no_younger(step: float) -> None:
    """The age of a shared set is told by a clock that may be set."""

    async def test(source: JwksKeySource, server: Server, clock: Clock) -> None:
        steady = Clock()
        source._steady = steady
        assert await source.key("ES256")
        steady.now += 7200
        clock.now += 7200 + step
        server.fail = httpx.Response(503)
        with pytest.raises(KeysUnavailable):
            await source.key("nobody")
        steady.now += module.MAX_STALE_SECONDS - 7200
        assert source.ready
        steady.now += 1
        assert not source.ready

    run(test)
