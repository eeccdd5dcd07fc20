"""Traces to an OpenTelemetry collector by OTLP over HTTP. Loaded only where there is one: it is 50 ms of a start."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Status, StatusCode

if TYPE_CHECKING:
    from service.telemetry.traces import Span

_TIMEOUT_SECONDS: Final = 5.0
_SCOPE: Final = InstrumentationScope("service")


class OtlpTraces:
    """A writer for an `Outlet`: sends spans and returns how many were lost, none or all.

    Args:
        endpoint: base URL of the collector, such as http://collector:4318.
        resource: who speaks.
    """

    def __init__(self, endpoint: str, resource: Resource) -> None:
        self._endpoint = f"{endpoint}/v1/traces"
        self._resource = resource
        self._exporter: OTLPSpanExporter | None = None

    def __call__(self, spans: Sequence[ReadableSpan]) -> int:
        """Send spans and return how many were lost: none or all."""
        if self._exporter is None:  # here, and not before the workers are forked
            self._exporter = OTLPSpanExporter(self._endpoint, timeout=_TIMEOUT_SECONDS)
        return 0 if self._exporter.export(spans) is SpanExportResult.SUCCESS else len(spans)

    def readable(self, said: "tuple[Any, Span]") -> ReadableSpan:
        """Return what the SDK's exporter takes.

        Args:
            said: as it was put into the outlet; the span is its second part.
        """
        span = said[1]
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=self._resource,
            attributes=span.attributes,
            kind=span.kind,
            status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
            start_time=span.began,
            end_time=span.ended,
            instrumentation_scope=_SCOPE,
        )
