"""The parameter `resource` (RFC 8707), which MCP clients send: the audience does not depend on it."""

import pytest

from tests.support.oauth import CLIENT_CREDENTIALS, audiences_of, request_token
from tests.support.realm import Stack, answered

pytestmark = pytest.mark.requirement("MCP-A10")


@pytest.mark.parametrize("resource", [None, "own", "https://other.example/mcp"])
def test_a_token_is_for_this_server_whatever_resource_says(stack: Stack, resource: str | None) -> None:
    asked = stack.mcp_url if resource == "own" else resource
    secret = stack.secrets["mcp-reader"]
    answer = request_token(
        stack.token_endpoint, CLIENT_CREDENTIALS, client_id="mcp-reader", client_secret=secret, resource=asked
    )
    audiences = audiences_of(answered(answer)["access_token"])
    assert stack.mcp_url in audiences
    assert "https://other.example/mcp" not in audiences
