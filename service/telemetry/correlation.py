"""A correlation id for each request: taken from the caller when it is harmless, returned, and on every log line."""

import re
import time
import uuid
from ipaddress import ip_address
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.auth.challenge import simple_refusal
from service.telemetry.events import Event

log = structlog.get_logger(__name__)

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
# W3C Trace Context section 3.2: version, trace id, parent id, flags; all zeros are not valid.
_TRACEPARENT: Final = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_UNLOGGED_PATHS: Final = frozenset({"/livez", "/readyz"})


def correlation_id(scope: Scope) -> str:
    """Return the id of a request: its X-Request-ID, else the trace id of its traceparent, else a new one."""
    found = {b"x-request-id": _REQUEST_ID, b"traceparent": _TRACEPARENT}
    for wanted, pattern in found.items():
        values = [value for name, value in scope["headers"] if name == wanted]
        if len(values) == 1 and (match := pattern.fullmatch(values[0])):
            value: bytes = match[match.lastindex or 0]
            return value.decode()
    return uuid.uuid4().hex


def address(scope: Scope) -> str:
    """Return the address of the caller; behind a proxy that is trusted, what the proxy says (X-Forwarded-For)."""
    client = scope.get("client")
    try:
        return str(ip_address(client[0])) if client else "unknown"
    except ValueError:
        return "unknown"


class Correlation:
    """Outermost ASGI layer: correlation id, one `request` line, and 500 without a word about why.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = correlation_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            except Exception:
                log.exception(Event.REQUEST_FAILED, method=scope["method"])
                if status:  # too late for another answer; the server cuts one that is not complete
                    return
                refusal = simple_refusal(500, "internal_error", "Something failed here; give support the request_id")
                headers, body = refusal.render(request_id)
                await send_with_id({"type": "http.response.start", "status": 500, "headers": headers})
                await send({"type": "http.response.body", "body": body})
            finally:
                if scope["path"] not in _UNLOGGED_PATHS:
                    milliseconds = round((time.perf_counter() - started) * 1000, 1)
                    log.info(
                        Event.REQUEST,
                        method=scope["method"],
                        path=scope["path"],
                        status=status,
                        ms=milliseconds,
                        address=address(scope),
                    )
