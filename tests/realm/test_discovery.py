"""Metadata of the authorization server, as a client finds it (RFC 8414, OpenID Connect Discovery)."""

import pytest

from tests.support import client
from tests.support.realm import Stack


@pytest.mark.requirement("MCP-A2")
@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server/realms/{realm}",
        "/realms/{realm}/.well-known/oauth-authorization-server",
        "/realms/{realm}/.well-known/openid-configuration",
    ],
)
def test_a_client_finds_the_authorization_server(stack: Stack, path: str) -> None:
    document = client.get(stack.keycloak_url + path.format(realm=stack.name)).json()
    assert document["issuer"] == stack.issuer
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert document[name].startswith(stack.issuer + "/")


@pytest.mark.requirement("MCP-A3", "MCP-A6", "REALM-NO-CIMD")
def test_the_metadata_says_what_the_realm_does(stack: Stack) -> None:
    document = client.get(f"{stack.issuer}/.well-known/openid-configuration").json()
    assert "S256" in document["code_challenge_methods_supported"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert not document.get("client_id_metadata_document_supported", False), (
        "clients would prefer it, and no policy exists"
    )


@pytest.mark.requirement("REALM-METADATA-SCOPES")
def test_the_metadata_lists_the_scopes_of_the_contract_and_no_inner_ones(stack: Stack, contract) -> None:
    listed = set(client.get(f"{stack.issuer}/.well-known/openid-configuration").json()["scopes_supported"])
    assert set(contract.scopes) <= listed
    assert "mcp-audience" not in listed


@pytest.mark.requirement("REALM-KEYS")
def test_the_published_keys_are_strong_and_public(stack: Stack) -> None:
    keys = client.get(f"{stack.issuer}/protocol/openid-connect/certs").json()["keys"]
    signing = [key for key in keys if key["use"] == "sig"]
    assert {key["alg"] for key in signing} == {"RS256", "ES256"}
    for key in keys:
        assert not {"d", "p", "q", "k"} & key.keys()
        assert key["kty"] != "RSA" or len(key["n"]) * 6 >= 2048
        assert key["kty"] != "EC" or key["crv"] == "P-256"


@pytest.mark.requirement("REALM-HEADERS")
def test_pages_of_keycloak_cannot_be_framed(stack: Stack, browser) -> None:
    response = browser.client.get(stack.flow().authorization_endpoint, params=stack.flow().parameters())
    assert "frame-ancestors" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-frame-options"] in {"DENY", "SAMEORIGIN"}
