"""The `import` blocks of what is there already. A client with a secret has none: an import would write it to the state.

Such a client is adopted by the provider's own argument `import` instead (variable `adopted_clients`), which keeps none.
"""

from collections.abc import Mapping
from typing import Any

from ops.adopt.judge import Adoption

Json = dict[str, Any]

_POLICIES = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"
_ROLES = ("mcp-admin", "mcp-user")
_SCOPES = {"mcp-audience": "audience", "mcp-declared": "declared", "mcp-roles": "roles"}
# What Keycloak makes with every realm; terraform/keycloak imports these by itself.
_OF_KEYCLOAK = {
    "anonymous/allowed-client-templates", "anonymous/allowed-protocol-mappers", "anonymous/consent-required",
    "anonymous/max-clients", "anonymous/registration-web-origins", "anonymous/scope", "anonymous/trusted-hosts",
    "authenticated/allowed-client-templates", "authenticated/allowed-protocol-mappers",
    "authenticated/registration-web-origins",
}  # fmt: skip


def import_blocks(adoption: Adoption, live: Mapping[str, Any]) -> dict[str, str]:
    """Return the id to import by the address of each resource.

    Args:
        adoption: what is taken over.
        live: the live realm.
    """
    realm = live["realm"]
    blocks = {
        "keycloak_realm.main": realm,
        "keycloak_realm_default_client_scopes.main": realm,
        "keycloak_realm_optional_client_scopes.main": realm,
    }
    for name, scope in adoption.scopes.items():
        blocks[f'keycloak_openid_client_scope.mcp["{name}"]'] = f"{realm}/{scope['id']}"
    for scope in live["clientScopes"]:
        if scope["name"] in _SCOPES:
            blocks[f"keycloak_openid_client_scope.{_SCOPES[scope['name']]}"] = f"{realm}/{scope['id']}"
    for client_id, client in adoption.clients.items():
        if adoption.contract["clients"][client_id]["kind"] == "public":
            blocks[f'keycloak_openid_client.public["{client_id}"]'] = f"{realm}/{client['id']}"
    for role in live["roles"]["realm"]:
        if role["name"] in _ROLES:
            blocks[f'keycloak_role.realm["{role["name"]}"]'] = f"{realm}/{role['id']}"
    if has_components(live) and not has_all_policies(live):
        blocks |= _policies(live)
    return blocks


def adopted_clients(adoption: Adoption, live: Mapping[str, Any]) -> list[str]:
    """Return the clients with a secret that are there already."""
    there = {client["clientId"] for client in live["clients"]}
    kinds = {client_id: client["kind"] for client_id, client in adoption.contract["clients"].items()}
    return sorted(client_id for client_id, kind in kinds.items() if kind != "public" and client_id in there)


def has_components(live: Mapping[str, Any]) -> bool:
    """Return whether Terraform can declare keys and registration policies: provider 5.9 takes the name for the id."""
    return bool(live["id"] == live["realm"])


def has_all_policies(live: Mapping[str, Any]) -> bool:
    """Return whether the registration policies are those that terraform/keycloak imports by itself."""
    found = {_key(policy) for policy in live["components"].get(_POLICIES, [])}
    return found == _OF_KEYCLOAK


def written(blocks: Mapping[str, str]) -> str:
    """Return the blocks as Terraform code."""
    head = "# What is there already. Delete this file after the first apply.\n"
    return head + "".join(f'\nimport {{\n  to = {to}\n  id = "{name}"\n}}\n' for to, name in blocks.items())


def _policies(live: Mapping[str, Any]) -> dict[str, str]:
    known = _OF_KEYCLOAK | {"authenticated/consent-required", "authenticated/scope"}
    return {
        f'keycloak_realm_client_registration_policy.main["{_key(policy)}"]': (
            f"{live['realm']}/{policy['name']}/{policy['providerId']}/{policy['subType']}"
        )
        for policy in live["components"].get(_POLICIES, [])
        if _key(policy) in known
    }


def _key(policy: Mapping[str, Any]) -> str:
    return f"{policy['subType']}/{policy['providerId']}"
