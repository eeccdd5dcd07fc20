"""What stands on the management port: metrics, and the log level at run time. Callers and the edge never reach it.

GET /metrics            for Prometheus
GET /log-level          the level, as text
PUT /log-level          debug, info, warning or error, as text; all workers follow within a second
"""

import asyncio
import os
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Receive, Scope, Send

from service.telemetry import level
from service.telemetry.counts import publish_counts
from service.telemetry.log import LEVELS
from service.telemetry.metrics import REGISTRY

MAX_BODY_BYTES: Final = 64


class ManagementPort:
    """Answers what comes in at the management port, and passes everything else on.

    The port is the one of the socket that took the connection; nothing that a caller writes counts.

    Args:
        app: what answers at other ports.
        port: the management port.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on one request."""
        server = scope.get("server") if scope["type"] == "http" else None
        if not server or server[1] != self._port:
            await self.app(scope, receive, send)
            return
        status, content_type, body = await _answer(scope, receive)
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _answer(scope: Scope, receive: Receive) -> tuple[int, str, bytes]:
    text = "text/plain; charset=utf-8"
    if any(name == b"origin" for name, _ in scope["headers"]):
        return 403, text, b"no page of a browser may call the management port\n"
    match scope["method"], scope["path"]:
        case ("GET" | "HEAD", "/metrics"):
            publish_counts()
            return 200, CONTENT_TYPE_LATEST, await asyncio.to_thread(exposition)
        case ("GET" | "HEAD", "/log-level"):
            return 200, text, f"{level.current()}\n".encode()
        case ("PUT", "/log-level"):
            wanted = await _short_body(receive)
            if wanted not in LEVELS:
                return 422, text, f"write one of: {', '.join(LEVELS)}\n".encode()
            level.change(wanted)
            return 200, text, f"{wanted}\n".encode()
    return 404, text, b"there is /metrics and /log-level\n"


def exposition() -> bytes:
    """Return the metrics of all workers in Prometheus's text format."""
    if not os.environ.get(level.FOLDER):
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


async def _short_body(receive: Receive) -> str:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or len(body) > MAX_BODY_BYTES:
            return ""
        if not message.get("more_body", False):
            return body.decode("ascii", "replace").strip()
