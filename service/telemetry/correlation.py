"""A correlation id for each request: taken from the caller when it is harmless, returned, and on every log line."""

import random
import re
import time
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.auth.challenge import simple_refusal
from service.auth.scopes import TOOLS_PATH
from service.telemetry.counts import METHODS
from service.telemetry.events import Event
from service.telemetry.log import MAX_KNOWN_PATH, ids, redact, request_answered, request_line
from service.telemetry.traces import answered, request_span

log = structlog.get_logger(__name__)

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
# W3C Trace Context section 3.2: version, trace id, parent id, flags; all zeros are not valid.
_TRACEPARENT: Final = re.compile(rb"00-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-[0-9a-f]{2}")
_TRACE_ID: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
_UNLOGGED_PATHS: Final = frozenset({"/livez", "/readyz"})
_ENTRANCES: Final = {
    "/livez": "health",
    "/readyz": "health",
    "/version": "health",
    "/": "docs",
    "/openapi.json": "docs",
    "/backchannel-logout": "logout",
}
_PREFIXES: Final = {"/.well-known/": "metadata", "/docs": "docs", "/console": "docs"}
ENTRANCES: Final = ("mcp", "rest", "metadata", "other", *sorted(set(_ENTRANCES.values())))


def correlation_ids(scope: Scope) -> tuple[str, str, str]:
    """Return the request id, the trace id and the parent span id of a request; the last may be empty.

    The request id is its X-Request-ID, else the trace id of its traceparent, else a new one. The trace id is that of
    its traceparent, else the request id where that has the form of one, else a new one.
    """
    given = {b"x-request-id": "", b"traceparent": ""}
    for name, value in scope["headers"]:
        if name in given:
            pattern = _REQUEST_ID if name == b"x-request-id" else _TRACEPARENT
            match = pattern.fullmatch(value)
            # Said twice it is said by two parties: neither counts.
            given[name] = match[match.lastindex or 0].decode() if match and not given[name] else " "
    request_id = given[b"x-request-id"].strip()
    trace_id, _, parent_id = given[b"traceparent"].strip().partition("-")
    if not trace_id:
        trace_id = request_id if _TRACE_ID.fullmatch(request_id) else f"{random.getrandbits(128) or 1:032x}"
    return request_id or trace_id, trace_id, parent_id


def entrance_of(path: str, mcp_path: str) -> str:
    """Return by which door a request comes: one of a few words, whatever the path.

    Args:
        path: decoded path of the URL.
        mcp_path: path of the MCP endpoint.
    """
    if path == mcp_path:
        return "mcp"
    if path == TOOLS_PATH or path.startswith(f"{TOOLS_PATH}/"):
        return "rest"
    for prefix, word in _PREFIXES.items():
        if path.startswith(prefix):
            return word
    return _ENTRANCES.get(path, "other")


def address(scope: Scope) -> str:
    """Return the address of the caller; behind a proxy that is trusted, what the proxy says (X-Forwarded-For)."""
    client = scope.get("client")
    return _address(client[0]) if client else "unknown"


@lru_cache(1024)
def _address(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return "unknown"


class Correlation:
    """Outermost ASGI layer: correlation id, one `request` line, and 500 without a word about why.

    Args:
        app: what answers.
        mcp_path: path of the MCP endpoint.
    """

    def __init__(self, app: ASGIApp, mcp_path: str = "/mcp") -> None:
        self.app = app
        self._mcp_path = mcp_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, trace_id, parent_id = correlation_ids(scope)
        entrance = entrance_of(scope["path"], self._mcp_path)
        asked = request_id, trace_id, entrance, address(scope)
        scope.setdefault("state", {}).update(request_id=request_id, asked=asked)
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        with request_span(trace_id, parent_id, method, entrance) as span:
            before = ids.set(asked)
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
                tool, seconds = scope["state"].get("tool"), time.perf_counter() - started
                if len(path := scope["path"]) > MAX_KNOWN_PATH:  # neither long texts nor tokens are kept
                    path = redact(path)
                said = request_line, time.time_ns(), asked, scope["method"], path, status, seconds, tool
                request_answered(said, path not in _UNLOGGED_PATHS)
                if span is not None:
                    answered(span, status, tool, request_id)
                ids.reset(before)
