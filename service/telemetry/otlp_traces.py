"""Traces to an OpenTelemetry collector by OTLP over HTTP. Loaded only where there is one: it is 50 ms of a start.

The messages of OTLP are filled here. To make the SDK's spans of ours, and messages of those, takes twice as long, and
was half of what a traced call costs. What sends them is the SDK's: it tries again, and takes OTEL_EXPORTER_OTLP_*.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, SpanFlags, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind

if TYPE_CHECKING:
    from service.telemetry.traces import Span

_TIMEOUT_SECONDS: Final = 5.0
_SCOPE: Final = InstrumentationScope(name="service")
_KINDS: Final = {
    SpanKind.INTERNAL: SpanMessage.SPAN_KIND_INTERNAL,
    SpanKind.SERVER: SpanMessage.SPAN_KIND_SERVER,
    SpanKind.CLIENT: SpanMessage.SPAN_KIND_CLIENT,
}
_LOCAL: Final = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE: Final = _LOCAL | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


class OtlpTraces:
    """A writer for an `Outlet`: sends spans and returns how many were lost, none or all.

    Args:
        endpoint: base URL of the collector, such as http://collector:4318.
        resource: who speaks.
    """

    def __init__(self, endpoint: str, resource: Resource) -> None:
        self._endpoint = f"{endpoint}/v1/traces"
        self._resource = ResourceMessage(attributes=_attributes(resource.attributes))
        self._exporter: OTLPSpanExporter | None = None

    def __call__(self, spans: Sequence[SpanMessage]) -> int:
        """Send spans and return how many were lost: none or all."""
        if self._exporter is None:  # here, and not before the workers are forked
            self._exporter = OTLPSpanExporter(self._endpoint, timeout=_TIMEOUT_SECONDS)
        scope_spans = ScopeSpans(scope=_SCOPE, spans=spans)
        request = ExportTraceServiceRequest(
            resource_spans=[ResourceSpans(resource=self._resource, scope_spans=[scope_spans])]
        )
        # What is public takes spans of the SDK only.
        done = self._exporter._client.export(request.SerializeToString())  # noqa: SLF001
        return 0 if done.success else len(spans)


def message(said: "tuple[Any, Span]") -> SpanMessage:
    """Return what OTLP sends of a span.

    Args:
        said: as it was put into the outlet; the span is its second part.
    """
    span = said[1]
    parent = span.parent
    return SpanMessage(
        trace_id=span.context.trace_id.to_bytes(16, "big"),
        span_id=span.context.span_id.to_bytes(8, "big"),
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent else b"",
        name=span.name,
        kind=_KINDS[span.kind],
        start_time_unix_nano=span.began,
        end_time_unix_nano=span.ended,
        attributes=_attributes(span.attributes),
        status=Status(code=Status.STATUS_CODE_ERROR) if span.failed else None,
        flags=_REMOTE if parent and parent.is_remote else _LOCAL,
    )


def _attributes(values: Mapping[str, Any]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value))
        for key, value in values.items()
    ]
