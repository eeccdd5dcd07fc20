"""Tokens of each class of client from the real Keycloak: whom they are for, what they may do, how long they live."""

import pytest

from service.contract import Contract
from tests.support.http import Service, text_of
from tests.support.login import Person
from tests.support.oauth import audiences_of, claims_of, header_of
from tests.support.realm import Stack

SERVICE_ACCOUNTS = ("mcp-automation", "mcp-reader")
PUBLIC_CLIENTS = ("mcp-cli", "mcp-console")

# Lifetimes of the contract and the realm's names for them.
LIFETIMES = {
    "access_token": "accessTokenLifespan",
    "authorization_code": "accessCodeLifespan",
    "login": "accessCodeLifespanLogin",
    "login_action": "accessCodeLifespanUserAction",
    "session_idle": "ssoSessionIdleTimeout",
    "session_max": "ssoSessionMaxLifespan",
    "offline_idle": "offlineSessionIdleTimeout",
    "offline_max": "offlineSessionMaxLifespan",
    "events": "eventsExpiration",
}


def scopes_of(token: str) -> set[str]:
    return {scope for scope in claims_of(token)["scope"].split() if scope.startswith("mcp:")}


@pytest.mark.requirement("REALM-AUDIENCE", "RFC9068-2.2", "MCP-R10")
@pytest.mark.parametrize("client_id", SERVICE_ACCOUNTS)
def test_a_service_account_gets_a_token_for_this_service(
    stack: Stack, contract: Contract, service: Service, client_id: str
) -> None:
    token = stack.token_for(client_id)
    assert sorted(audiences_of(token)) == sorted([stack.mcp_url, "mcp-server"])
    claims = claims_of(token)
    assert (claims["iss"], claims["azp"], claims["typ"]) == (stack.issuer, client_id, "Bearer")
    assert scopes_of(token) == set(contract.clients[client_id].default_scopes)
    assert text_of(service.use("echo", {"text": "hello"}, token)) == "hello"


@pytest.mark.requirement("REALM-AUDIENCE", "RFC9068-2.2", "RFC7636-4")
@pytest.mark.parametrize("client_id", PUBLIC_CLIENTS)
def test_a_person_gets_a_token_for_this_service(
    stack: Stack, service: Service, person: Person, log_in, client_id: str
) -> None:
    tokens = log_in(person, client_id=client_id, scope="mcp:read")
    token = tokens["access_token"]
    assert sorted(audiences_of(token)) == sorted([stack.mcp_url, "mcp-server"])
    claims = claims_of(token)
    assert (claims["iss"], claims["azp"], claims["typ"]) == (stack.issuer, client_id, "Bearer")
    assert claims["preferred_username"] == person.username
    assert scopes_of(token) == {"mcp:read"}
    assert text_of(service.use("echo", {"text": "hello"}, token)) == "hello"


@pytest.mark.requirement("REALM-AUDIENCE")
def test_the_audience_is_not_in_the_id_token(stack: Stack, person: Person, log_in) -> None:
    tokens = log_in(person, scope="openid mcp:read")
    assert audiences_of(tokens["id_token"]) == ["mcp-cli"]


@pytest.mark.requirement("REALM-ROLES")
def test_roles_of_the_realm_are_in_the_token(stack: Stack, person: Person, log_in) -> None:
    user = stack.user(person)
    role = stack.admin.get(f"/{stack.name}/roles/mcp-user")
    stack.admin.post(f"/{stack.name}/users/{user['id']}/role-mappings/realm", json=[role])
    token = log_in(person, scope="mcp:read")["access_token"]
    assert "mcp-user" in claims_of(token)["realm_access"]["roles"]


@pytest.mark.requirement("REALM-LIFETIMES", "MCP-A8")
def test_tokens_and_sessions_live_as_long_as_the_contract_says(
    stack: Stack, contract: Contract, person: Person, log_in
) -> None:
    lifetimes = contract.lifetimes
    for token in (stack.token_for("mcp-reader"), log_in(person, scope="mcp:read")["access_token"]):
        claims = claims_of(token)
        assert claims["exp"] - claims["iat"] == lifetimes["access_token"] <= 300
    assert log_in(person, scope="mcp:read")["refresh_expires_in"] <= lifetimes["session_idle"]
    realm = stack.admin.get(f"/{stack.name}")
    assert {name: realm[field] for name, field in LIFETIMES.items()} == {name: lifetimes[name] for name in LIFETIMES}
    assert realm["accessCodeLifespan"] <= 60


@pytest.mark.requirement("REALM-KEYS")
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_the_realm_signs_with_its_declared_keys(stack: Stack, service: Service, algorithm: str, changed_client) -> None:
    with changed_client("mcp-reader", {"access.token.signed.response.alg": algorithm}):
        token = stack.token_for("mcp-reader")
    assert header_of(token)["alg"] == algorithm
    assert text_of(service.use("echo", {"text": algorithm}, token)) == algorithm


@pytest.mark.requirement("REALM-SERVICE-CLIENT")
def test_the_service_itself_gets_no_token(stack: Stack) -> None:
    refused = stack.ask_token("mcp-server")
    assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized_client")


@pytest.mark.requirement("REALM-SERVICE-CLIENT")
def test_the_service_itself_may_introspect(stack: Stack) -> None:
    token = stack.token_for("mcp-reader")
    answer = stack.introspect(token)
    assert answer["active"] is True
    assert answer["client_id"] == "mcp-reader"


@pytest.mark.requirement("REALM-SCOPES")
def test_a_scope_that_the_client_does_not_have_is_refused_not_dropped(stack: Stack) -> None:
    refused = stack.ask_token("mcp-reader", scope="mcp:write")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


@pytest.mark.requirement("REALM-SCOPES")
def test_every_scope_of_the_contract_can_be_asked_for(stack: Stack, contract: Contract, person: Person, log_in) -> None:
    tokens = log_in(person, scope=" ".join(contract.scopes))
    assert scopes_of(tokens["access_token"]) == set(contract.scopes)
    optional = stack.admin.get(f"/{stack.name}/default-optional-client-scopes")
    assert {scope["name"] for scope in optional} >= set(contract.scopes), "clients registered later could not step up"


@pytest.mark.requirement("REALM-LEAST-PRIVILEGE")
def test_a_token_has_no_right_to_administer_the_realm(stack: Stack) -> None:
    for client_id in SERVICE_ACCOUNTS:
        assert "realm-management" not in claims_of(stack.token_for(client_id)).get("resource_access", {})
    rights = claims_of(stack.token_for("terraform"))["resource_access"]["realm-management"]["roles"]
    assert not {"realm-admin", "impersonation", "manage-identity-providers", "manage-authorization"} & set(rights), (
        rights
    )


@pytest.mark.requirement("REALM-AUDIENCE", "REALM-SCOPES")
def test_each_scope_of_ours_brings_the_audience(stack: Stack, contract: Contract, scratch_client) -> None:
    """A client that registers by itself for a scope gets nothing but that scope, and its token must be good."""
    for scope in contract.scopes:
        with scratch_client(default_scopes=[scope]) as client_id:
            assert stack.mcp_url in audiences_of(stack.token_for(client_id))
