"""The account that `secure-mcp audit` logs in as: it reads the realm and can change nothing."""

from collections.abc import Iterator

import pytest

from ops.admin import AdminClient
from tests.support.oauth import claims_of
from tests.support.realm import Stack

NEEDED = {"view-clients", "view-events", "view-identity-providers", "view-realm", "view-users"}
IMPLIED = {"query-clients", "query-groups", "query-users"}


@pytest.fixture(scope="module")
def auditor(stack: Stack) -> Iterator[AdminClient]:
    with AdminClient(stack.keycloak_url, stack.name, "auditor", stack.secrets["auditor"]) as client:
        yield client


@pytest.mark.requirement("REALM-LEAST-PRIVILEGE")
def test_the_auditor_may_read_and_nothing_else(stack: Stack) -> None:
    claims = claims_of(stack.token_for("auditor"))
    assert set(claims["resource_access"]["realm-management"]["roles"]) == NEEDED | IMPLIED
    assert stack.mcp_url not in claims.get("aud", [])


@pytest.mark.requirement("REALM-LEAST-PRIVILEGE")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", ""),
        ("POST", "/clients"),
        ("POST", "/client-scopes"),
        ("POST", "/roles"),
        ("POST", "/users"),
        ("POST", "/groups"),
        ("POST", "/components"),
        ("POST", "/identity-provider/instances"),
        ("POST", "/clients-initial-access"),
        ("PUT", "/client-policies/policies"),
        ("PUT", "/client-policies/profiles"),
        ("PUT", "/events/config"),
        ("DELETE", "/events"),
        ("DELETE", "/admin-events"),
        ("POST", "/partial-export"),
        ("POST", "/logout-all"),
        ("POST", "/push-revocation"),
    ],
)
def test_the_auditor_is_refused_every_change(stack: Stack, auditor: AdminClient, method: str, path: str) -> None:
    refused = auditor.send(method, f"/{stack.name}{path}", json={})
    assert refused.status_code == 403, refused.text


@pytest.mark.requirement("REALM-LEAST-PRIVILEGE")
def test_the_auditor_cannot_give_itself_rights(stack: Stack, auditor: AdminClient) -> None:
    client = auditor.get(f"/{stack.name}/clients", clientId="auditor")[0]
    user = auditor.get(f"/{stack.name}/clients/{client['id']}/service-account-user")
    management = auditor.get(f"/{stack.name}/clients", clientId="realm-management")[0]["id"]
    role = auditor.get(f"/{stack.name}/clients/{management}/roles/realm-admin")
    path = f"/{stack.name}/users/{user['id']}/role-mappings/clients/{management}"
    assert auditor.send("POST", path, json=[role]).status_code == 403
    assert auditor.send("POST", f"/{stack.name}/clients/{client['id']}/client-secret").status_code == 403
