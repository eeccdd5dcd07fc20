"""Traces: a share of the requests, to an OpenTelemetry collector by OTLP over HTTP; off while there is no collector.

Names and attributes follow the semantic conventions for HTTP and MCP. No attribute holds a token, an argument or
anything else that a caller wrote freely, nor the text of an exception, which may repeat it. Whether a request is traced
is decided by its trace id alone: what a caller wishes in the flags of its traceparent counts for nothing, or strangers
could make us trace all they send. Spans go through an outlet (outlet.py), so a collector that is away holds nobody up,
and what it misses is counted.
"""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from service.telemetry.outlet import Outlet

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

# Spans are sent once in this time: a request to the collector costs as much as many calls.
_GATHER_SECONDS: Final = 1.0
_ROUTES: Final = {"mcp": "{mcp endpoint}", "rest": "/api/v1/tools/{name}", "logout": "/backchannel-logout"}
_NOTHING: Final = nullcontext()
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


class Span(AbstractContextManager["Span"]):
    """A part of a request that is traced, under way from entering to leaving it.

    The SDK's own costs ten times as much before it is exported. The thread that exports makes OTLP's message of it.

    Args:
        name: fixed text.
        kind: of the semantic conventions.
        attributes: likewise.
        trace_id: of the request.
        parent: what it is a part of; None for a root span.
    """

    __slots__ = ("_before", "attributes", "began", "context", "ended", "failed", "kind", "name", "parent")

    def __init__(
        self, name: str, kind: SpanKind, attributes: dict[str, Any], trace_id: int, parent: SpanContext | None
    ) -> None:
        self.name = name
        self.kind = kind
        self.attributes = attributes
        self.context = SpanContext(trace_id, random.getrandbits(64) or 1, is_remote=False, trace_flags=_SAMPLED)
        self.failed = False
        self.parent = parent

    def __enter__(self) -> "Span":
        theirs = None
        if self.kind is SpanKind.INTERNAL:  # OpenTelemetry's own context as well, for what a tool traces by itself
            theirs = otel_context.attach(trace.set_span_in_context(NonRecordingSpan(self.context)))
        self._before: tuple[Token[Span | None], Token[Any] | None] = _current.set(self), theirs
        self.began = time.time_ns()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = time.time_ns()
        ours, theirs = self._before
        _current.reset(ours)
        if theirs is not None:
            otel_context.detach(theirs)
        if _Tracing.outlet is not None:
            _Tracing.outlet.put((_Tracing.message, self))


_current: ContextVar[Span | None] = ContextVar("secure_mcp_span", default=None)


class _Tracing:
    outlet: "Outlet[SpanMessage] | None" = None
    message: "Callable[[tuple[Any, Span]], SpanMessage]"
    bound = ""
    """Traced is what has a trace id whose lower half is below this; hexadecimal digits are in the order of numbers."""


def configure_tracing(endpoint: str | None, ratio: float, resource: Resource) -> None:
    """Begin to trace, or stop.

    Args:
        endpoint: base URL of the collector; None traces nothing.
        ratio: share of requests, from 0 to 1.
        resource: who speaks.
    """
    _Tracing.outlet, _Tracing.bound = None, f"{int(ratio * 2**64):016x}" if ratio < 1 else "g"
    if endpoint and ratio > 0:
        from service.telemetry.otlp_traces import OtlpTraces, message

        _Tracing.message = message
        _Tracing.outlet = Outlet("traces", OtlpTraces(endpoint, resource), gather=_GATHER_SECONDS)


def request_span(trace_id: str, parent_id: str, method: str, entrance: str) -> AbstractContextManager[Span | None]:
    """Return the span of a request as a context manager; None inside where it is not traced.

    Args:
        trace_id: 32 hexadecimal digits, in lower case.
        parent_id: 16 hexadecimal digits, empty for a root span.
        method: one of `METHODS`, or OTHER.
        entrance: one of `ENTRANCES`.
    """
    if _Tracing.outlet is None or trace_id[16:] >= _Tracing.bound:
        return _NOTHING
    trace_number, parent, route = int(trace_id, 16), None, _ROUTES.get(entrance, entrance)
    if parent_id:
        parent = SpanContext(trace_number, int(parent_id, 16), is_remote=True, trace_flags=_SAMPLED)
    attributes = {"http.request.method": "_OTHER" if method == "OTHER" else method, "http.route": route}
    return Span(f"{method} {route}", SpanKind.SERVER, attributes, trace_number, parent)


def answered(span: Span, status: int, tool: str | None, request_id: str) -> None:
    """Write down how a request was answered.

    Args:
        span: of the request.
        status: HTTP status; 0 when there was no answer.
        tool: an existing tool, or None.
        request_id: correlation id.
    """
    span.attributes |= {"http.response.status_code": status, "secure_mcp.request_id": request_id}
    if tool is not None:
        span.attributes |= {"gen_ai.tool.name": tool, "gen_ai.operation.name": "execute_tool"}
    span.failed = status >= 500 or not status


def failed(span: Span | None, error: BaseException) -> None:
    """Write down that what a span stands for failed, and of which class the exception was; not its text.

    Args:
        span: None where nothing is traced.
        error: the exception.
    """
    if span is not None:
        span.attributes["error.type"] = f"{type(error).__module__}.{type(error).__qualname__}"
        span.failed = True


def child_span(name: str, kind: SpanKind = SpanKind.INTERNAL, **attributes: Any) -> AbstractContextManager[Span | None]:
    """Return a span below the current one as a context manager; None inside where nothing is traced.

    Args:
        name: fixed text.
        kind: CLIENT for outgoing calls.
        attributes: with underscores for dots.
    """
    parent = _current.get()
    if parent is None:
        return _NOTHING
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return Span(name, kind, named, parent.context.trace_id, parent.context)


def outgoing_headers(request_id: str) -> dict[str, str]:
    """Return the correlation headers of a call that this service makes (W3C Trace Context).

    Args:
        request_id: of the request that it is made for; empty when there is none.
    """
    headers = {"x-request-id": request_id} if request_id else {}
    found: SpanContext | None = trace.get_current_span().get_span_context()
    # The innermost of ours, unless a tool has begun one of its own inside.
    if (ours := _current.get()) is not None and ours.kind is not SpanKind.INTERNAL:
        found = ours.context
    if found is not None and found.is_valid:
        headers["traceparent"] = f"00-{found.trace_id:032x}-{found.span_id:016x}-01"
    return headers
