"""Keys are fetched once, kept fresh, and kept through an outage."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from aiocache import SimpleMemoryCache

from service.auth import keys as module
from service.auth.errors import KeysUnavailable
from service.auth.keys import JwksKeySource
from tests.unit.jose import ISSUER, public_jwk

Answer = Callable[[httpx.Request], Awaitable[httpx.Response]]


class AuthorizationServer:
    """Answers discovery and JWKS, counts, and can be made to fail."""

    def __init__(self) -> None:
        self.keys: list[Any] = [public_jwk("RS256"), public_jwk("ES256")]
        self.metadata: Any = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/protocol/openid-connect/certs"}
        self.fetches = 0
        self.urls: list[str] = []
        self.jwks_answer: Callable[[], httpx.Response] | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        if request.url.path.endswith("/certs"):
            self.fetches += 1
            if self.gate:
                await self.gate.wait()
            return self.jwks_answer() if self.jwks_answer else httpx.Response(200, json={"keys": self.keys})
        return httpx.Response(200, json=self.metadata)


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def run(
    test: Callable[[JwksKeySource, AuthorizationServer, Clock], Awaitable[None]],
    server: AuthorizationServer | None = None,
    cache: Any = None,
    internal_url: str | None = None,
) -> None:
    server = server or AuthorizationServer()
    clock = Clock()

    async def main() -> None:
        source = JwksKeySource(
            issuer=ISSUER,
            internal_url=internal_url,
            ttl=300,
            cache=cache or SimpleMemoryCache(namespace=str(id(server))),
            transport=httpx.MockTransport(server),
            clock=clock,
            steady=clock,
        )
        try:
            await test(source, server, clock)
        finally:
            await source.stop()

    asyncio.run(main())


def test_a_cold_burst_fetches_once() -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        found = await asyncio.gather(*(source.key("RS256-1") for _ in range(1000)))
        assert all(key and key.kid == "RS256-1" for key in found)
        assert server.fetches == 1

    run(test)


def test_a_key_at_hand_never_waits_for_the_network() -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.key("RS256-1")
        server.gate = asyncio.Event()
        unknown = asyncio.create_task(source.key("unknown"))
        while server.fetches < 2:
            await asyncio.sleep(0)
        assert await asyncio.wait_for(source.key("ES256-1"), 0.1)
        server.gate.set()
        assert await unknown is None

    run(test)


def test_a_flood_of_unknown_ids_is_bounded() -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.key("RS256-1")
        for number in range(2000):
            assert await source.key(f"bogus-{number}") is None
        assert server.fetches == 1 + module.UNKNOWN_KID_BURST
        assert await source.key("RS256-1")

    run(test)


def test_a_new_key_is_found_on_first_use() -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.key("RS256-1")
        server.keys.append(public_jwk("ES256", "new"))
        assert await source.key("ES256-new")

    run(test)


def test_an_unknown_id_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNKNOWN_KID_REFILL_SECONDS", 0.2)

    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.key("RS256-1")
        for number in range(module.UNKNOWN_KID_BURST):
            await source.key(f"bogus-{number}")
        server.keys.append(public_jwk("ES256", "new"))
        assert await source.key("ES256-new")

    run(test)


BAD_ANSWERS = {
    "status": lambda: httpx.Response(500),
    "redirect": lambda: httpx.Response(302, headers={"location": "https://evil.example/"}),
    "html": lambda: httpx.Response(200, text="<html>"),
    "empty": lambda: httpx.Response(200, json={"keys": []}),
    "object": lambda: httpx.Response(200, json={}),
    "huge": lambda: httpx.Response(200, content=b" " * 70_000),
    "latin": lambda: httpx.Response(200, content=b"\xff\xfe"),
    "deep": lambda: httpx.Response(200, content=b"[" * 60_000),
    "truncated": lambda: httpx.Response(200, content=json.dumps({"keys": [public_jwk()]})[:-9].encode()),
    "unusable": lambda: httpx.Response(200, json={"keys": [public_jwk(use="enc")]}),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_never_shrinks_a_good_set(name: str) -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.key("RS256-1")
        server.jwks_answer = BAD_ANSWERS[name]
        for _ in range(module.UNKNOWN_KID_BURST + 1):
            with pytest.raises(KeysUnavailable):  # nobody can be asked: it may be genuine
                await source.key("unknown")
        assert await source.key("RS256-1")
        clock.now += 301
        assert await source.key("RS256-1")
        clock.now += module.MAX_STALE_SECONDS
        assert not source.ready
        with pytest.raises(KeysUnavailable):
            await source.key("RS256-1")

    run(test)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": ISSUER + "/", "jwks_uri": ISSUER + "/certs"},
        {"issuer": ISSUER.replace("localhost", "evil.example"), "jwks_uri": ISSUER + "/certs"},
        {"issuer": ISSUER, "jwks_uri": "https://evil.example/certs"},
        {"issuer": ISSUER, "jwks_uri": ISSUER + ".evil.example/certs"},
        {"issuer": ISSUER},
        [],
    ],
)
def test_foreign_metadata_gives_no_key(metadata: object) -> None:
    server = AuthorizationServer()
    server.metadata = metadata

    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        with pytest.raises(KeysUnavailable) as caught:
            await source.key("RS256-1")
        assert caught.value.retry_after > 0
        assert all("evil" not in url for url in server.urls)

    run(test, server)


def test_it_becomes_ready_by_itself_once_the_server_answers() -> None:
    server = AuthorizationServer()
    server.jwks_answer = BAD_ANSWERS["status"]

    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.start()
        while server.fetches < 1:
            await asyncio.sleep(0)
        assert not source.ready
        server.jwks_answer = None
        async with asyncio.timeout(5):
            while not source.ready:
                await asyncio.sleep(0.01)

    run(test, server)


def test_it_renews_before_the_set_is_due() -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.key("RS256-1")
        clock.now += 299  # past four fifths of the time to live
        server.keys = [public_jwk("ES256")]
        await source.start()
        async with asyncio.timeout(5):
            while server.fetches < 2:
                await asyncio.sleep(0.01)
        assert await source.key("RS256-1") is None  # the removed key is gone without anybody asking for another

    run(test)


def test_a_process_starts_warm_from_the_shared_set() -> None:
    cache = SimpleMemoryCache(namespace="shared")

    async def warm(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        assert await source.key("RS256-1")

    run(warm, cache=cache)
    down = AuthorizationServer()
    down.jwks_answer = BAD_ANSWERS["status"]

    async def cold(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.start()
        assert source.ready
        assert await source.key("RS256-1")

    run(cold, down, cache)


class BrokenCache(SimpleMemoryCache):  # type: ignore[misc]
    async def get(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError

    async def set(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError


def test_a_broken_cache_costs_nothing_but_the_sharing() -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.start()
        assert await source.key("RS256-1")

    run(test, cache=BrokenCache())


@pytest.mark.parametrize("step", [-86_400.0, -120.0, 120.0, 86_400.0])
def test_a_clock_that_is_set_makes_no_set_older_or_younger(step: float) -> None:
    """Back: what is fetched then is newer all the same. Forth: what is at hand did not age."""
    wall, steady = Clock(), Clock()
    server = AuthorizationServer()

    async def main() -> None:
        source = JwksKeySource(
            issuer=ISSUER,
            internal_url=None,
            ttl=300,
            cache=SimpleMemoryCache(namespace=str(id(server))),
            transport=httpx.MockTransport(server),
            clock=wall,
            steady=steady,
        )
        try:
            assert await source.key("RS256-1")
            wall.now += step
            assert source.ready
            server.keys = [public_jwk("ES256"), public_jwk("EdDSA")]
            assert await source.key("EdDSA-1"), "the new set is taken"
            assert source.statistics.fetched_at == wall.now
            assert await source.key("RS256-1") is None, "a removed key is gone"
            steady.now += module.MAX_STALE_SECONDS + 1
            assert not source.ready
        finally:
            await source.stop()

    asyncio.run(main())


def test_the_internal_url_is_where_the_fetch_goes() -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        assert await source.key("RS256-1")
        assert all(url.startswith("http://keycloak:8080/realms/mcp-realm/") for url in server.urls)

    run(test, internal_url="http://keycloak:8080/realms/mcp-realm")


def test_another_key_under_the_same_id_is_a_change() -> None:
    async def test(source: JwksKeySource, server: AuthorizationServer, clock: Clock) -> None:
        await source.key("RS256-1")
        before = source.epoch
        server.keys = [public_jwk("RS256", "2", kid="RS256-1"), public_jwk("ES256")]
        await source.key("unknown")
        assert source.epoch > before

    run(test)
