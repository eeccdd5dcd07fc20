"""Bodies that are too large or malformed: refused, and never a 5xx."""

import pytest

from tests.support import client
from tests.support.hostile import HOSTILE_BODIES
from tests.support.http import HANDSHAKE, MODERN, Service, bearer, text_of
from tests.support.realm import Stack


@pytest.mark.requirement("LIMITS")
@pytest.mark.parametrize("entrance", ["mcp", "rest"])
@pytest.mark.parametrize("credentials", ["none", "good"])
def test_an_oversized_body_is_refused(
    stack: Stack, service: Service, reader_token: str, entrance: str, credentials: str
) -> None:
    token = reader_token if credentials == "good" else None
    response = service.use("echo", {"text": "x" * 5_000_000}, token, entrance=entrance)
    assert response.status_code in ({413} if token else {401, 413}), response.text[:300]
    assert text_of(service.use("echo", {"text": "still here"}, reader_token)) == "still here"


@pytest.mark.requirement("HOSTILE-BODIES")
@pytest.mark.parametrize("version", [MODERN, HANDSHAKE])
@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES.keys())
def test_no_body_breaks_the_service(service: Service, automation_token: str, body: bytes, version: str) -> None:
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": version}
    for own in ({}, {"Mcp-Method": "tools/call", "Mcp-Name": "echo"}):
        response = service.mcp.send(body, headers | own | bearer(automation_token))
        assert response.status_code < 500, f"{response.status_code} {response.text[:500]}"
        assert "Traceback" not in response.text


@pytest.mark.requirement("HOSTILE-BODIES")
@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES.keys())
def test_no_body_breaks_the_rest_view(stack: Stack, automation_token: str, body: bytes) -> None:
    for tool in ("echo", "calculate"):
        url = f"{stack.public_url}/api/v1/tools/{tool}"
        headers = {"Content-Type": "application/json"} | bearer(automation_token)
        response = client.post(url, content=body, headers=headers)
        assert 400 <= response.status_code < 500, f"{response.status_code} {response.text[:500]}"
        assert "Traceback" not in response.text
