"""Rows of the MCP specification that need no person: what the service does not do, and how browsers may use it."""

import base64
import json

import pytest

from tests.support import client
from tests.support.http import HANDSHAKE, MODERN, Service, bearer, message
from tests.support.realm import Stack

PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name,mcp-param-x",
}
ENDPOINTS = ["/mcp", "/api/v1/tools", "/api/v1/tools/echo"]


@pytest.mark.requirement("MCP-R5")
def test_the_canonical_url_is_lower_case_without_slash_and_fragment(stack: Stack, service: Service) -> None:
    resource = service.get("/.well-known/oauth-protected-resource").json()["resource"]
    assert resource == resource.lower().rstrip("/")
    assert "#" not in resource


@pytest.mark.requirement("MCP-R5")
def test_upper_case_in_scheme_and_host_is_accepted(service: Service, reader_token: str) -> None:
    host = service.url.partition("://")[2].upper()
    assert service.use("echo", {"text": "x"}, reader_token, headers={"Host": host}).status_code == 200


@pytest.mark.requirement("MCP-CORS")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_page_of_the_services_own_origin_may_ask_first(stack: Stack, path: str) -> None:
    answer = client.request("OPTIONS", stack.public_url + path, headers=PREFLIGHT | {"Origin": stack.public_url})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == stack.public_url
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert set(PREFLIGHT["Access-Control-Request-Headers"].split(",")) <= set(allowed)


@pytest.mark.requirement("MCP-CORS")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_page_can_read_the_challenge(stack: Stack, path: str) -> None:
    answer = client.request("POST", stack.public_url + path, headers={"Origin": stack.public_url}, json={})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == stack.public_url
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.requirement("MCP-CORS", "MCP-R19")
@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "GET"])
def test_a_page_from_elsewhere_learns_nothing(stack: Stack, reader_token: str, path: str, method: str) -> None:
    headers = PREFLIGHT | bearer(reader_token) | {"Origin": "https://evil.example"}
    answer = client.request(method, stack.public_url + path, headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.requirement("RFC9728-3.2")
def test_a_document_that_is_known_is_not_sent_again(service: Service) -> None:
    first = service.get("/.well-known/oauth-protected-resource/mcp")
    again = service.get("/.well-known/oauth-protected-resource/mcp", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


@pytest.mark.requirement("MCP-R26")
def test_no_tool_asks_for_an_argument_in_a_header(service: Service, automation_token: str) -> None:
    """So there is nothing to compare, and a header of that name changes nothing."""
    listed = service.mcp.request("tools/list", token=automation_token)
    assert "x-mcp-header" not in json.dumps(listed.json())
    answer = service.use("echo", {"text": "body"}, automation_token, headers={"Mcp-Param-Text": "header"})
    assert "body" in answer.text
    assert "header" not in answer.text


@pytest.mark.requirement("MCP-R28")
def test_a_client_can_ask_what_the_server_is(service: Service, reader_token: str) -> None:
    answer = service.mcp.request("server/discover", token=reader_token)
    assert answer.status_code == 200, answer.text
    assert MODERN in json.dumps(answer.json()["result"])


@pytest.mark.requirement("MCP-R33")
@pytest.mark.parametrize("version", [MODERN, HANDSHAKE])
def test_no_answer_is_a_stream_that_a_proxy_could_hold_back(service: Service, reader_token: str, version: str) -> None:
    body, headers = message("tools/list", None, version)
    answer = service.mcp.send(body, headers | bearer(reader_token) | {"Accept": "text/event-stream, application/json"})
    assert answer.headers["content-type"].split(";")[0] == "application/json"


@pytest.mark.requirement("MCP-R25")
def test_a_name_in_base64_is_decoded_before_it_is_compared(service: Service, automation_token: str) -> None:
    def encoded(name: str) -> dict[str, str]:
        return {"Mcp-Name": f"=?base64?{base64.b64encode(name.encode()).decode()}?="}

    right = service.mcp.call("echo", {"text": "x"}, token=automation_token, headers=encoded("echo"))
    assert right.status_code == 200, right.text
    wrong = service.mcp.call("echo", {"text": "x"}, token=automation_token, headers=encoded("timestamp"))
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, -32020)


@pytest.mark.requirement("MCP-R23")
@pytest.mark.parametrize("missing", ["protocolVersion", "clientCapabilities"])
def test_a_request_without_its_envelope_is_refused(service: Service, reader_token: str, missing: str) -> None:
    body, headers = message("tools/list")
    del body["params"]["_meta"][f"io.modelcontextprotocol/{missing}"]
    answer = service.mcp.send(body, headers | bearer(reader_token))
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == -32602
