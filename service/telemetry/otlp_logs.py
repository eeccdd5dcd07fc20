"""The audit trail to an OpenTelemetry collector: log records by OTLP over HTTP."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_TIMEOUT_SECONDS = 5.0


class OtlpLogs:
    """A writer for an `Outlet`. The body of a record is the line, its attributes are the line's keys.

    Args:
        endpoint: base URL of the collector, such as http://collector:4318.
        resource: who writes.
    """

    def __init__(self, endpoint: str, resource: Resource) -> None:
        self._endpoint = f"{endpoint}/v1/logs"
        self._resource = resource
        self._exporter: OTLPLogExporter | None = None

    def __call__(self, lines: Sequence[str]) -> int:
        """Send lines and return how many were lost: none or all."""
        if self._exporter is None:  # here, and not before the workers are forked
            self._exporter = OTLPLogExporter(self._endpoint, timeout=_TIMEOUT_SECONDS)
        done = self._exporter.export([self._record(line) for line in lines])
        return 0 if done is LogRecordExportResult.SUCCESS else len(lines)

    def _record(self, line: str) -> ReadableLogRecord:
        keys: dict[str, Any] = json.loads(line)
        at = int(datetime.fromisoformat(keys["time"]).timestamp() * 1e9)
        record = LogRecord(
            timestamp=at,
            observed_timestamp=at,
            severity_text="INFO",
            severity_number=SeverityNumber.INFO,
            body=line,
            event_name=keys["event"],
            attributes={f"secure_mcp.{key}": value for key, value in keys.items() if value is not None},
        )
        if trace_id := keys.get("trace_id"):
            record.trace_id = int(trace_id, 16)
        return ReadableLogRecord(record, self._resource, InstrumentationScope("service.telemetry.audit"))
