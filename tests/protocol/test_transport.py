"""Streamable HTTP of MCP 2026-07-28 and 2025-11-25: what is a message, and that nothing breaks the service."""

import json

import pytest

from tests.support import client
from tests.support.http import HANDSHAKE, MODERN, Service, bearer, message, text_of
from tests.support.raw import exchange
from tests.support.realm import Stack

HEADER_MISMATCH = -32020


@pytest.mark.requirement("MCP-R22")
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("version", [MODERN, HANDSHAKE])
def test_there_are_no_sessions(stack: Stack, reader_token: str, method: str, version: str) -> None:
    headers = bearer(reader_token) | {"Accept": "text/event-stream", "MCP-Protocol-Version": version}
    response = client.request(method, stack.mcp_url, headers=headers | {"Mcp-Session-Id": "abc"})
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


@pytest.mark.requirement("MCP-R22")
@pytest.mark.parametrize("version", [MODERN, HANDSHAKE])
def test_a_session_id_is_neither_made_nor_returned(service: Service, reader_token: str, version: str) -> None:
    response = service.mcp.request("tools/list", token=reader_token, version=version, headers={"Mcp-Session-Id": "abc"})
    assert response.status_code == 200, response.text
    assert "mcp-session-id" not in response.headers


@pytest.mark.requirement("MCP-R24", "MCP-R25")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Mcp-Name": "timestamp"}, id="name of a tool that is allowed"),
        pytest.param({"Mcp-Name": "Calculate"}, id="name in another case"),
        pytest.param({"Mcp-Name": ""}, id="no name"),
        pytest.param({"Mcp-Method": "tools/list"}, id="method"),
        pytest.param({"Mcp-Method": ""}, id="no method"),
        pytest.param({"MCP-Protocol-Version": HANDSHAKE}, id="version of the header"),
        pytest.param({"MCP-Protocol-Version": ""}, id="no version"),
    ],
)
def test_a_header_that_says_something_else_than_the_body_is_refused(
    service: Service, automation_token: str, headers: dict[str, str]
) -> None:
    response = service.mcp.call("calculate", {"expression": "1 + 1"}, token=automation_token, headers=headers)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["code"] == HEADER_MISMATCH


@pytest.mark.requirement("MCP-R25", "MCP-R17")
@pytest.mark.parametrize("version", [MODERN, HANDSHAKE])
def test_a_lying_header_buys_no_scope(service: Service, reader_token: str, version: str) -> None:
    for headers in ({"Mcp-Name": "echo"}, {"Mcp-Method": "tools/list"}, {"Mcp-Method": "ping", "Mcp-Name": "echo"}):
        response = service.mcp.call(
            "calculate", {"expression": "1 + 1"}, token=reader_token, version=version, headers=headers
        )
        assert response.status_code in {400, 403}, response.text


@pytest.mark.requirement("MCP-R17")
@pytest.mark.parametrize("version", [MODERN, HANDSHAKE, ""])
def test_scopes_hold_in_every_version(service: Service, reader_token: str, version: str) -> None:
    assert service.mcp.call("calculate", {"expression": "1"}, token=reader_token, version=version).status_code == 403


@pytest.mark.requirement("MCP-R24")
def test_an_unknown_version_is_refused(service: Service, reader_token: str) -> None:
    body, headers = message("tools/list")
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2031-01-01"
    response = service.mcp.send(body, headers | bearer(reader_token) | {"MCP-Protocol-Version": "2031-01-01"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == -32022
    assert MODERN in response.json()["error"]["data"]["supported"]


@pytest.mark.requirement("MCP-R28")
def test_an_unknown_method_is_not_found(service: Service, automation_token: str) -> None:
    response = service.mcp.request("tools/erase", token=automation_token)
    assert (response.status_code, response.json()["error"]["code"]) == (404, -32601)


@pytest.mark.requirement("MCP-BATCH")
@pytest.mark.parametrize("version", [MODERN, HANDSHAKE])
def test_a_batch_is_refused(service: Service, automation_token: str, version: str) -> None:
    one, headers = message("tools/call", {"name": "echo", "arguments": {"text": "x"}}, version)
    two, _ = message("tools/call", {"name": "calculate", "arguments": {"expression": "1"}}, version)
    for batch in ([one], [one, two], []):
        response = service.mcp.send(batch, headers | bearer(automation_token))
        assert response.status_code == 400, response.text
        assert "error" in response.json()


@pytest.mark.requirement("MCP-R19")
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1"]
)
def test_a_foreign_origin_is_refused(service: Service, reader_token: str, origin: str) -> None:
    response = service.use("echo", {"text": "x"}, reader_token, headers={"Origin": origin})
    assert response.status_code == 403, response.text
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.requirement("MCP-R19")
def test_the_services_own_origin_is_welcome(stack: Stack, service: Service, reader_token: str) -> None:
    assert text_of(service.use("echo", {"text": "x"}, reader_token, headers={"Origin": stack.public_url})) == "x"


@pytest.mark.requirement("MCP-R19")
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:80", "localhost@evil.example"]
)
def test_a_foreign_host_is_refused(stack: Stack, reader_token: str, host: str) -> None:
    body, headers = message("tools/list")
    lines = "\r\n".join(f"{name}: {value}" for name, value in (headers | bearer(reader_token)).items()).encode()
    status, text = exchange(stack.mcp_url, lines, body=json.dumps(body).encode(), host=host)
    assert status in {400, 403, 421}, text
    assert "inputSchema" not in text
