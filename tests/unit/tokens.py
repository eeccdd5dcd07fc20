"""The service in process with keys of our own: no Keycloak, no network."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

import httpx
from starlette.types import ASGIApp

from service.app import create_app
from service.auth.errors import KeysUnavailable
from service.auth.jwk import VerificationKey, import_keys
from service.settings import Settings, load_settings
from tests.unit import jose

Result = TypeVar("Result")

ORIGIN = "http://localhost:8000"
METADATA_URL = f"{ORIGIN}/.well-known/oauth-protected-resource/mcp"


class StaticKeySource:
    """Knows the keys it is given, or none and says so."""

    def __init__(self, *jwks: dict[str, Any], retry_after: int = 7) -> None:
        self._keys = import_keys({"keys": list(jwks)}, ("RS256", "ES256", "PS256", "EdDSA", "Ed25519"))[0]
        self._retry_after = retry_after
        self.started = self.stopped = 0

    @property
    def ready(self) -> bool:
        return bool(self._keys)

    @property
    def epoch(self) -> int:
        return 0

    async def start(self) -> None:
        self.started += 1

    async def stop(self) -> None:
        self.stopped += 1

    async def key(self, kid: str) -> VerificationKey | None:
        if not self._keys:
            raise KeysUnavailable(self._retry_after)
        return self._keys.get(kid)


def make_settings(**changes: Any) -> Settings:
    """Return settings for tests; the environment does not matter as far as they are given here."""
    values = {"audience": jose.AUDIENCE, "issuer": jose.ISSUER, "environment": "dev", "log_level": "info"}
    return load_settings(**{**values, **changes})


def make_keys() -> StaticKeySource:
    """Return a source that knows the key of `make_token`."""
    return StaticKeySource(jose.public_jwk("ES256"))


def make_token(**changes: Any) -> str:
    """Return a good access token with some claims changed; None removes a claim."""
    return jose.sign(jose.claims(**changes), "ES256")


def bearer(**changes: Any) -> dict[str, str]:
    """Return the headers of an authorized request."""
    return {"Authorization": f"Bearer {make_token(**changes)}"}


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[None]:
    """Run the lifespan of an ASGI application, as a server would."""
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, inbox.get, outbox.put))  # type: ignore[arg-type]
    await inbox.put({"type": "lifespan.startup"})
    assert (await outbox.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
        await task


@cache
def _usual_app() -> ASGIApp:
    """Return the service as most tests want it; to build it takes longer than to ask it."""
    return create_app(make_settings(), make_keys())


def with_client(
    use: Callable[[httpx.AsyncClient], Awaitable[Result]], keys: StaticKeySource | None = None, **settings: Any
) -> Result:
    """Run the service in process and hand a client to `use`."""

    async def main() -> Result:
        app = (
            _usual_app()
            if keys is None and not settings
            else create_app(make_settings(**settings), keys or make_keys())
        )
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with running(app), httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await use(client)

    return asyncio.run(main())


def send(
    method: str,
    path: str,
    *,
    keys: StaticKeySource | None = None,
    settings: dict[str, Any] | None = None,
    **request: Any,
) -> httpx.Response:
    """Send one request to the service and return its answer."""
    return with_client(lambda client: client.request(method, path, **request), keys, **(settings or {}))


def rpc(method: str, params: dict[str, Any] | None = None, request_id: int = 1) -> dict[str, Any]:
    """Return a JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}


MCP_HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


def call(tool: str, arguments: dict[str, Any], **claims: Any) -> httpx.Response:
    """Call a tool in the 2025-11-25 protocol."""
    message = rpc("tools/call", {"name": tool, "arguments": arguments})
    return send("POST", "/mcp", json=message, headers={**MCP_HEADERS, **bearer(**claims)})
