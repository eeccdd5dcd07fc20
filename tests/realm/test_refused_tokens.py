"""Real and rightly signed tokens that the service must refuse: 401 invalid_token by both entrances."""

import time

import httpx
import pytest

from tests.support.http import Service, text_of
from tests.support.login import Person
from tests.support.oauth import claims_of
from tests.support.realm import Stack
from tests.support.until import until
from tests.support.verdict import assert_refused


@pytest.mark.requirement("REALM-AUDIENCE", "MCP-R10", "MCP-R11", "TOKEN-TYPE")
def test_an_id_token_is_no_access_token(stack: Stack, service: Service, person: Person, log_in) -> None:
    assert_refused(service, stack, log_in(person, scope="openid mcp:read")["id_token"])


@pytest.mark.requirement("TOKEN-TYPE")
def test_an_id_token_is_refused_even_with_our_audience(
    stack: Stack, service: Service, person: Person, log_in, leaky_audience
) -> None:
    """What a mapper with `add_to_id_token` would do: only the type tells the two tokens apart."""
    with leaky_audience():
        tokens = log_in(person, scope="openid mcp:read")
    assert stack.mcp_url in claims_of(tokens["id_token"])["aud"]
    assert_refused(service, stack, tokens["id_token"])
    assert text_of(service.use("echo", {"text": "x"}, tokens["access_token"])) == "x"


@pytest.mark.requirement("TOKEN-TYPE", "MCP-R11")
@pytest.mark.parametrize("scope", ["mcp:read", "openid mcp:read"])
def test_a_refresh_token_is_no_access_token(stack: Stack, service: Service, person: Person, log_in, scope: str) -> None:
    assert_refused(service, stack, log_in(person, scope=scope)["refresh_token"])


@pytest.mark.requirement("TOKEN-ISSUER", "MCP-R11")
def test_a_token_of_the_master_realm_is_refused(stack: Stack, service: Service, master_token: str) -> None:
    assert claims_of(master_token)["iss"].endswith("/realms/master")
    assert_refused(service, stack, master_token)


@pytest.mark.requirement("TOKEN-ISSUER", "MCP-R11")
def test_a_token_of_a_twin_realm_is_refused(stack: Stack, service: Service, twin: Stack) -> None:
    """The same lock file imported under another name: the same clients, audience and scopes, another issuer."""
    token = twin.token_for("mcp-automation")
    assert stack.mcp_url in claims_of(token)["aud"]
    assert_refused(service, stack, token)


@pytest.mark.requirement("MCP-R10", "REALM-AUDIENCE")
def test_a_token_without_our_audience_is_refused(stack: Stack, service: Service, scratch_client) -> None:
    """Not one of our scopes is on it: each of them brings the audience along."""
    with scratch_client(default_scopes=[]) as client_id:
        token = stack.token_for(client_id)
    assert "aud" not in claims_of(token)
    assert_refused(service, stack, token)


@pytest.mark.requirement("MCP-R10")
@pytest.mark.parametrize("audience", ["/mcp/", "/mcp2", "/MCP", "", "/"])
def test_a_token_for_a_neighbour_is_refused(stack: Stack, service: Service, scratch_client, audience: str) -> None:
    with scratch_client(default_scopes=[], audience=stack.public_url + audience) as client_id:
        token = stack.token_for(client_id)
    assert claims_of(token)["aud"] == stack.public_url + audience
    assert_refused(service, stack, token)


@pytest.mark.requirement("MCP-R10")
def test_a_token_for_this_and_another_service_is_accepted(stack: Stack, service: Service, scratch_client) -> None:
    with scratch_client(default_scopes=["mcp:read"], audience="https://other.example/mcp") as client_id:
        token = stack.token_for(client_id)
    assert {stack.mcp_url, "https://other.example/mcp"} <= set(claims_of(token)["aud"])
    assert text_of(service.use("echo", {"text": "x"}, token)) == "x"


@pytest.mark.requirement("REALM-SERVICE-ACCOUNTS")
def test_a_service_account_that_nobody_declared_is_refused(stack: Stack, service: Service, scratch_client) -> None:
    """What a stranger on a trusted host could register for itself, if registration were opened."""
    with scratch_client(default_scopes=["mcp:read"], session=False) as client_id:
        token = stack.token_for(client_id)
    assert_refused(service, stack, token)


@pytest.mark.requirement("RFC7519-4.1.4", "MCP-R12")
def test_an_expired_token_is_refused(stack: Stack, strict_service: Service, changed_client) -> None:
    """By a service with no leeway, so that the test need not wait for the 30 seconds that the product allows."""
    with changed_client("mcp-reader", {"access.token.lifespan": "2"}):
        token = stack.token_for("mcp-reader")

    def answer() -> httpx.Response:
        return strict_service.use("echo", {"text": "x"}, token)

    assert answer().status_code == 200
    until(lambda: answer().status_code != 200, 10, "the token to expire")
    response = answer()
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


@pytest.mark.requirement("RFC7519-4.1.5", "MCP-R9")
def test_a_token_of_tomorrow_is_refused(stack: Stack, service: Service, scratch_client) -> None:
    tomorrow = int(time.time()) + 86400
    with scratch_client(default_scopes=["mcp:read"], not_before=tomorrow) as client_id:
        token = stack.token_for(client_id)
    assert claims_of(token)["nbf"] == tomorrow
    assert_refused(service, stack, token)
