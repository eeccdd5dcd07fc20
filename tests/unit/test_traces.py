"""Spans of a tool: one for each time that it ran, however often its call was tried, and none of what it was told."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.resources import Resource

from service.app import create_app
from service.auth.ask import ask
from service.telemetry import traces
from service.telemetry.otlp_traces import OtlpTraces
from service.telemetry.outlet import flush_all
from tests.security.issuer import serving
from tests.support.collector import Collector, attributes
from tests.unit.tokens import MCP_HEADERS, make_keys, make_settings, make_token, rpc, running

SECRET = "canary-2718"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Span]]:
    found: list[Span] = []

    def export(_self: OtlpTraces, sent: Sequence[Span]) -> int:
        found.extend(sent)
        return 0

    monkeypatch.setattr(OtlpTraces, "__call__", export)
    yield found
    traces.configure_tracing(None, 0, Resource({}))


def called(name: str, arguments: dict[str, Any], ratio: float = 1.0) -> httpx.Response:
    settings = make_settings(otlp_endpoint="http://127.0.0.1:9", trace_ratio=ratio)

    async def main() -> httpx.Response:
        app = create_app(settings, make_keys())
        async with (
            running(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000") as client,
        ):
            token = make_token(scope="mcp:read mcp:write")
            headers = {**MCP_HEADERS, "Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-{'1' * 16}-00"}
            return await client.post(
                "/mcp", json=rpc("tools/call", {"name": name, "arguments": arguments}), headers=headers
            )

    answer = asyncio.run(main())
    assert flush_all()
    return answer


@pytest.mark.requirement("TRACES")
def test_what_is_asked_of_the_authorization_server_is_a_span_of_the_call(spans: list[Span]) -> None:
    async def main() -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(404, json={}, request=request))
        async with httpx.AsyncClient(transport=transport) as client:
            with traces.request_span(TRACE, "1" * 16, "POST", "mcp"):
                assert await ask(client, "GET", "https://id.example:8443/certs?canary=2718") == (404, b"{}")

    traces.configure_tracing("http://127.0.0.1:9", 1.0, Resource({}))
    asyncio.run(main())
    assert flush_all()
    asked, call = spans
    assert (asked.name, asked.kind, call.kind) == ("GET", Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER)
    assert asked.parent_span_id == call.span_id
    assert call.parent_span_id.hex() == "1" * 16
    assert attributes(asked) == {
        "http.request.method": "GET",
        "server.address": "id.example:8443",
        "http.response.status_code": 404,
    }


def tool_spans(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.name.startswith("execute_tool")]


@pytest.mark.requirement("TRACES")
def test_a_tool_that_succeeds_has_one_span(spans: list[Span]) -> None:
    assert SECRET in called("echo", {"text": SECRET}).text
    (span,) = tool_spans(spans)
    assert (span.name, span.status.code) == ("execute_tool echo", Status.STATUS_CODE_UNSET)
    assert {found.trace_id.hex() for found in spans} == {TRACE}
    assert all(0 < found.start_time_unix_nano <= found.end_time_unix_nano for found in spans)


@pytest.mark.requirement("TRACES", "LOG-SECRECY")
def test_a_tool_that_fails_has_one_span_that_says_so_and_repeats_nothing(spans: list[Span]) -> None:
    assert '"isError":true' in called("calculate", {"expression": f"1 / 0 + {SECRET}"}).text
    (span,) = tool_spans(spans)
    assert span.name == "execute_tool calculate"
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert attributes(span)["error.type"] == "service.tools.registry.ToolFailure"
    assert SECRET.encode() not in b"".join(found.SerializeToString() for found in spans)


@pytest.mark.requirement("TRACES")
def test_a_tool_that_never_ran_has_no_span(spans: list[Span]) -> None:
    assert '"isError":true' in called("echo", {"text": 7}).text
    assert tool_spans(spans) == []
    assert [span.name for span in spans] == ["validate token", "POST {mcp endpoint}"]


@pytest.mark.requirement("TRACES")
def test_what_is_not_sampled_has_no_span(spans: list[Span]) -> None:
    """The lower half of the trace id is above a hundredth of all."""
    assert called("echo", {"text": "x"}, ratio=0.01).status_code == 200
    assert spans == []


@pytest.mark.requirement("TRACES")
def test_the_collector_is_told_who_speaks() -> None:
    with serving(Collector()) as collector:
        traces.configure_tracing(collector.url, 1.0, Resource({"service.name": "secure-mcp"}))
        with traces.request_span(TRACE, "", "POST", "mcp"):
            pass
        assert flush_all()
        traces.configure_tracing(None, 0, Resource({}))
        ((path, body),) = collector.received
    (sent,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert (path, attributes(sent.resource)) == ("/v1/traces", {"service.name": "secure-mcp"})
    (scope,) = sent.scope_spans
    assert (scope.scope.name, len(scope.spans), scope.spans[0].parent_span_id) == ("service", 1, b"")


@pytest.mark.requirement("SERVICE-COST")
def test_what_speaks_to_a_collector_is_not_loaded_without_one() -> None:
    code = "import service.app, sys; print(*(name for name in sys.modules if 'exporter.otlp' in name))"
    assert subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True).stdout == "\n"
