"""Protected resource metadata (RFC 9728) over HTTP: exact, public, the same at both URLs."""

import pytest

from tests.support import client
from tests.support.http import Service
from tests.support.realm import Stack

ROOT = "/.well-known/oauth-protected-resource"


@pytest.mark.requirement("RFC9728-3.1", "RFC9728-3.2", "RFC9728-3.3", "MCP-R2", "MCP-R3")
def test_the_document_is_exact_and_the_same_at_both_urls(stack: Stack, service: Service) -> None:
    inserted, root = service.get(f"{ROOT}/mcp"), service.get(ROOT)
    assert inserted.json() == root.json()
    document = inserted.json()
    assert document["resource"] == stack.mcp_url
    assert document["authorization_servers"] == [stack.issuer]
    assert document["bearer_methods_supported"] == ["header"]
    assert document["resource_documentation"].startswith(stack.public_url + "/")
    for response in (inserted, root):
        assert response.status_code == 200
        assert response.headers["content-type"].split(";")[0] == "application/json"
        assert "max-age=" in response.headers["cache-control"]
        assert "set-cookie" not in response.headers


@pytest.mark.requirement("MCP-R6", "MCP-R7")
def test_the_document_lists_what_a_first_call_needs(service: Service) -> None:
    assert service.get(ROOT).json()["scopes_supported"] == ["mcp:read"]


@pytest.mark.requirement("RFC9728-3.1")
@pytest.mark.parametrize("origin", [{}, {"Origin": "https://client.example"}], ids=["a program", "a page"])
def test_a_browser_of_any_origin_may_read_it(service: Service, origin: dict[str, str]) -> None:
    """Told to programs as well: the edge hands one cached answer to both."""
    for path in (ROOT, f"{ROOT}/mcp"):
        answer = service.get(path, headers=origin)
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]
        assert "ETag" in answer.headers["access-control-expose-headers"]


@pytest.mark.requirement("RFC9728-3.1")
@pytest.mark.parametrize("path", [f"{ROOT}/", f"{ROOT}/mcp/", f"{ROOT}/other", f"{ROOT}/mcp/../mcp2"])
def test_there_is_no_document_of_anything_else(service: Service, path: str) -> None:
    response = service.get(path)
    assert response.status_code in {401, 404}, response.text
    assert "authorization_servers" not in response.text


@pytest.mark.requirement("RFC9728-5.1", "MCP-R3")
def test_a_stranger_gets_from_the_refusal_to_the_authorization_server(stack: Stack, service: Service) -> None:
    refused = service.use("echo", {"text": "x"})
    url = refused.headers["www-authenticate"].partition('resource_metadata="')[2].partition('"')[0]
    document = client.get(url).json()
    issuer = document["authorization_servers"][0]
    assert client.get(f"{issuer}/.well-known/openid-configuration").json()["issuer"] == issuer
