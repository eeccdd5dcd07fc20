"""An OpenTelemetry collector that keeps what it is sent: traces and logs by OTLP over HTTP (protobuf)."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class _Handler(BaseHTTPRequestHandler):
    server: "Collector"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


class Collector(ThreadingHTTPServer):
    """Use it with `serving`; `received` is path and body of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        """The endpoint to give to the service."""
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[Any]:
        """Return every span that came."""
        requests = [
            ExportTraceServiceRequest.FromString(body) for path, body in list(self.received) if path == "/v1/traces"
        ]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def records(self) -> list[Any]:
        """Return every log record that came."""
        requests = [
            ExportLogsServiceRequest.FromString(body) for path, body in list(self.received) if path == "/v1/logs"
        ]
        return [
            record
            for request in requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


def attributes(span: Any) -> dict[str, Any]:
    """Return the attributes of a span by name."""
    return {
        entry.key: getattr(entry.value, entry.value.WhichOneof("value") or "string_value") for entry in span.attributes
    }
