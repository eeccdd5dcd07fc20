"""Traces: a share of the requests, to an OpenTelemetry collector by OTLP over HTTP; off while there is no collector.

Names and attributes follow the semantic conventions for HTTP and MCP. No attribute holds a token, an argument or
anything else that a caller wrote freely, nor the text of an exception, which may repeat it. Whether a request is traced
is decided by its trace id alone: what a caller wishes in the flags of its traceparent counts for nothing, or strangers
could make us trace all they send. Spans go through an outlet (outlet.py), so a collector that is away holds nobody up,
and what it misses is counted.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags

from service.telemetry.outlet import Outlet

_TIMEOUT_SECONDS: Final = 5.0
# Spans are sent once in this time: a request to the collector costs as much as many calls.
_GATHER_SECONDS: Final = 1.0
_ROUTES: Final = {"mcp": "{mcp endpoint}", "rest": "/api/v1/tools/{name}", "logout": "/backchannel-logout"}
_NOTHING: Final = nullcontext()
_trace_id: ContextVar[str] = ContextVar("secure_mcp_trace_id", default="")
"""The trace id of a request that is traced, and of no other."""


class _Ids(RandomIdGenerator):
    """Gives a root span the trace id that log and audit trail have."""

    def generate_trace_id(self) -> int:
        return int(_trace_id.get() or "0", 16) or super().generate_trace_id()


class _ToOutlet(SpanProcessor):
    def __init__(self, outlet: Outlet[ReadableSpan]) -> None:
        self._outlet = outlet

    def on_end(self, span: ReadableSpan) -> None:
        self._outlet.put(span)


class _Export:
    """A writer for an `Outlet`: sends spans and returns how many were lost, none or all."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = f"{endpoint}/v1/traces"
        self._exporter: OTLPSpanExporter | None = None

    def __call__(self, spans: Sequence[ReadableSpan]) -> int:
        if self._exporter is None:  # here, and not before the workers are forked
            self._exporter = OTLPSpanExporter(self._endpoint, timeout=_TIMEOUT_SECONDS)
        return 0 if self._exporter.export(spans) is SpanExportResult.SUCCESS else len(spans)


class _Tracing:
    tracer: trace.Tracer | None = None
    bound = 0
    """Traced is what has a trace id whose lower half is below this."""


def configure_tracing(endpoint: str | None, ratio: float, resource: Resource) -> None:
    """Begin to trace, or stop.

    Args:
        endpoint: base URL of the collector; None traces nothing.
        ratio: share of requests, from 0 to 1.
        resource: who speaks.
    """
    _Tracing.tracer, _Tracing.bound = None, int(ratio * 2**64)
    if endpoint and ratio > 0:
        provider = TracerProvider(
            # What is traced was decided before: by `request_span`.
            sampler=ALWAYS_ON,
            resource=resource,
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(_ToOutlet(Outlet("traces", _Export(endpoint), gather=_GATHER_SECONDS)))
        _Tracing.tracer = provider.get_tracer("service")


def request_span(trace_id: str, parent_id: str, method: str, entrance: str) -> AbstractContextManager[Span | None]:
    """Return the span of a request as a context manager; None inside where it is not traced.

    Args:
        trace_id: 32 hexadecimal digits.
        parent_id: 16 hexadecimal digits, empty for a root span.
        method: one of `METHODS`, or OTHER.
        entrance: one of `ENTRANCES`.
    """
    if _Tracing.tracer is None or int(trace_id[16:], 16) >= _Tracing.bound:
        return _NOTHING
    return _request_span(_Tracing.tracer, trace_id, parent_id, method, entrance)


@contextmanager
def _request_span(tracer: trace.Tracer, trace_id: str, parent_id: str, method: str, entrance: str) -> Iterator[Span]:
    route = _ROUTES.get(entrance, entrance)
    parent = otel_context.Context()
    if parent_id:
        remote = SpanContext(int(trace_id, 16), int(parent_id, 16), is_remote=True, trace_flags=TraceFlags(1))
        parent = trace.set_span_in_context(NonRecordingSpan(remote), parent)
    token = _trace_id.set(trace_id)
    try:
        attributes = {"http.request.method": "_OTHER" if method == "OTHER" else method, "http.route": route}
        with tracer.start_as_current_span(
            f"{method} {route}",
            parent,
            SpanKind.SERVER,
            attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span
    finally:
        _trace_id.reset(token)


def answered(span: Span, status: int, tool: str | None, request_id: str) -> None:
    """Write down how a request was answered.

    Args:
        span: of the request.
        status: HTTP status; 0 when there was no answer.
        tool: an existing tool, or None.
        request_id: correlation id.
    """
    span.set_attribute("http.response.status_code", status)
    span.set_attribute("secure_mcp.request_id", request_id)
    if tool is not None:
        span.set_attributes({"gen_ai.tool.name": tool, "gen_ai.operation.name": "execute_tool"})
    if status >= 500 or not status:
        span.set_status(StatusCode.ERROR)


def failed(span: Span | None, error: BaseException) -> None:
    """Write down that what a span stands for failed, and of which class the exception was; not its text.

    Args:
        span: None where nothing is traced.
        error: the exception.
    """
    if span is not None:
        span.set_attribute("error.type", f"{type(error).__module__}.{type(error).__qualname__}")
        span.set_status(StatusCode.ERROR)


def child_span(name: str, kind: SpanKind = SpanKind.INTERNAL, **attributes: Any) -> AbstractContextManager[Span | None]:
    """Return a span below the current one as a context manager; None inside where nothing is traced.

    Args:
        name: fixed text.
        kind: CLIENT for outgoing calls.
        attributes: with underscores for dots.
    """
    if _Tracing.tracer is None or not _trace_id.get():  # asking OpenTelemetry costs ten times as much
        return _NOTHING
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return _Tracing.tracer.start_as_current_span(
        name, kind=kind, attributes=named, record_exception=False, set_status_on_exception=False
    )


def outgoing_headers(request_id: str) -> dict[str, str]:
    """Return the correlation headers of a call that this service makes (W3C Trace Context).

    Args:
        request_id: of the request that it is made for; empty when there is none.
    """
    headers = {"x-request-id": request_id} if request_id else {}
    found = trace.get_current_span().get_span_context()
    if found.is_valid:
        headers["traceparent"] = f"00-{found.trace_id:032x}-{found.span_id:016x}-01"
    return headers
