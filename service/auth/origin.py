"""Host and Origin (MCP Streamable HTTP, Security Warning: DNS rebinding) and CORS, from one list of origins."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.auth.challenge import Header, Refusal, simple_refusal
from service.settings_checks import is_loopback
from service.telemetry.audit import record
from service.telemetry.events import Event

PREFLIGHT_SECONDS: Final = 600
EXPOSED: Final = b"WWW-Authenticate, X-Request-ID, Retry-After, ETag"
_METHODS: Final = b"GET, POST, OPTIONS"
_REQUEST_HEADERS: Final = frozenset(
    {
        "accept",
        "authorization",
        "content-type",
        "if-none-match",
        "last-event-id",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "traceparent",
        "tracestate",
        "x-request-id",
    }
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_MAX_HOSTS: Final = 64
_HOST: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


class OriginGate:
    """Refuses foreign hosts and origins, answers preflights, and lets declared origins read the answers.

    Args:
        app: what answers.
        public_origin: the service's own origin; its host is the only one, besides this machine's own names.
        origins: further browser origins that may call.
        open_paths: public documents that a page of any origin may read.
        server_paths: what other servers call, by whatever name they know this one; no page may.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        public_origin: str,
        origins: Iterable[str] = (),
        open_paths: Sequence[str] = (),
        server_paths: Sequence[str] = (),
    ) -> None:
        self.app = app
        parts = urlsplit(public_origin)
        self._host = (parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])
        self._scheme = parts.scheme
        self._origins = frozenset({public_origin, *origins})
        self._open_paths = frozenset(open_paths)
        self._server_paths = frozenset(server_paths)
        self._good_hosts: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origins, hosts = _values(scope, b"origin"), _values(scope, b"host")
        # Most requests have one host that was found good before, and no origin.
        known = not origins and len(hosts) == 1 and hosts[0] in self._good_hosts
        refusal = None if known else self._refusal(scope, origins, hosts)
        if refusal:
            record(scope, Event.ACCESS_DENIED, refusal.reason, refusal.status)
            headers, body = refusal.render(scope["state"]["request_id"])
            await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        if scope["path"] in self._open_paths:
            # Said to everybody: a cache in between hands one answer to programs and to pages.
            cors: list[Header] = [(b"access-control-allow-origin", b"*")]
        elif origins:
            cors = [(b"access-control-allow-origin", origins[0].encode()), (b"vary", b"Origin")]
        else:
            await self.app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and _values(scope, b"access-control-request-method"):
            asked = ",".join(_values(scope, b"access-control-request-headers")).lower().split(",")
            names = sorted({name.strip() for name in asked} & _REQUEST_HEADERS | _parameter_headers(asked))
            cors += [
                (b"access-control-allow-methods", _METHODS),
                (b"access-control-allow-headers", ", ".join(names).encode()),
                (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
            ]
            await send({"type": "http.response.start", "status": 204, "headers": cors})
            await send({"type": "http.response.body", "body": b""})
            return
        cors.append((b"access-control-expose-headers", EXPOSED))

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *cors]
            await send(message)

        await self.app(scope, receive, send_with_cors)

    def _refusal(self, scope: Scope, origins: Sequence[str], hosts: Sequence[str]) -> Refusal | None:
        host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if host is None:
            return simple_refusal(400, "bad_host", "Send exactly one Host header with a host name")
        if scope["path"] in self._server_paths and not origins:
            return None
        name = host[1].lower()
        port = int(host[2] or _DEFAULT_PORTS[self._scheme])
        local = is_loopback(name.strip("[]"))
        if not local and (name, port) != self._host:
            return simple_refusal(421, "foreign_host", "This server does not answer for that host; use its public URL")
        if len(self._good_hosts) < _MAX_HOSTS:
            self._good_hosts.add(hosts[0])
        if not origins or scope["path"] in self._open_paths:
            return None
        # A page of this machine's own address is the same origin: such a host cannot be rebound.
        if len(origins) == 1 and (origins[0] in self._origins or (local and origins[0] == f"http://{hosts[0]}")):
            return None
        return simple_refusal(403, "foreign_origin", "This origin may not call; add it to SECURE_MCP_CORS_ORIGINS")


def _parameter_headers(asked: Iterable[str]) -> set[str]:
    """MCP `x-mcp-header`: Mcp-Param-* names are made by tools, so they cannot be listed."""
    return {name.strip() for name in asked if re.fullmatch(r"mcp-param-[a-z0-9-]{1,64}", name.strip())}
