"""Which resource of terraform/keycloak a difference is about, and whether the provider sees it.

The provider (5.9.0) reads back what terraform/keycloak spells out. What it has no argument for it neither sees nor
repairs.
"""

from functools import cache
from typing import Any

from ops.audit.difference import Difference
from ops.environment import CONTRACT
from ops.realm import read_lock
from service.contract import Contract, load_contract

_ACCOUNTS = {"auditor", "terraform"}
_POLICIES = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"
_KEYS = "org.keycloak.keys.KeyProvider"
_METADATA = "metadata-documents"
_SCOPES = {"mcp-audience": "audience", "mcp-declared": "declared", "mcp-roles": "roles"}
_MAPPERS = {"canonical MCP URL": "resource", "MCP server client": "server"}
_DOWNSTREAM_MAPPER = "downstream API"
_KEY_KINDS = {"rsa-generated": "rsa", "ecdsa-generated": "ecdsa"}

# Fields of a client that the provider has an argument for; attributes count where the lock file has them.
_CLIENT_FIELDS = {
    "adminUrl", "alwaysDisplayInConsole", "baseUrl", "clientAuthenticatorType", "consentRequired",
    "defaultClientScopes", "description", "directAccessGrantsEnabled", "enabled", "frontchannelLogout",
    "fullScopeAllowed", "implicitFlowEnabled", "name", "optionalClientScopes", "publicClient", "rootUrl",
    "serviceAccountsEnabled", "standardFlowEnabled",
}  # fmt: skip
_BROWSER_FIELDS = {"redirectUris", "webOrigins"}  # refused by the provider for clients without a login page
# What terraform/keycloak does not say about the realm, because the provider has no argument for it.
_UNWATCHED = {
    "clientOfflineSessionIdleTimeout", "clientOfflineSessionMaxLifespan", "defaultGroups", "defaultLocale",
    "defaultRole", "internationalizationEnabled", "localizationTexts", "maxSecondaryAuthFailures", "notBefore",
    "otpSupportedApplications", "requiredCredentials", "scimApiEnabled", "smtpServer", "supportedLocales",
    "verifiableCredentialsEnabled", "accountTheme", "adminTheme", "emailTheme", "loginTheme",
}  # fmt: skip
_REALM_ATTRIBUTES = {"adminEventsExpiration", "parRequestUriLifespan"}


def address_of(difference: Difference) -> str | None:
    """Return the address of the resource that declares what differs, or None: nothing of ours does."""
    match difference.path:
        case ("clients", client_id, "protocolMappers", *_):
            return None
        case ("clients", client_id, *_):
            return _client(client_id)
        case ("clientScopes", scope, "protocolMappers", name, *_):
            if name == _DOWNSTREAM_MAPPER and (api := _downstream_api(scope)):
                return f'keycloak_openid_audience_protocol_mapper.downstream["{api}"]'
            kind = _MAPPERS.get(name)
            return f'keycloak_openid_audience_protocol_mapper.{kind}["{scope}"]' if kind else None
        case ("clientScopes", scope, *_):
            return _scope(scope)
        case ("clientPolicies", "policies", name, *_):
            return policy_address(name)
        case ("clientProfiles", "profiles", name, *_):
            return _profile(name)
        case ("components", "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy", name, *_):
            sub_type, provider, _ = name.split("/", 2)
            declared = _declared_names(_POLICIES)
            address = f'keycloak_realm_client_registration_policy.main["{sub_type}/{provider}"]'
            return address if name in declared else None
        case ("components", "org.keycloak.keys.KeyProvider", name, *_):
            return _key(name)
        case ("roles", "realm", name, *_):
            if (account := name.removesuffix("-account")) in _ACCOUNTS and account != name:
                return f'keycloak_role.account["{account}"]'
            return f'keycloak_role.realm["{name}"]' if name in {"mcp-admin", "mcp-user"} else None
        case ("roles", "client", "mcp-server", "tool-admin", *_):
            return 'keycloak_role.server["mcp-server/tool-admin"]'
    return None


def watched(difference: Difference) -> bool:
    """Return whether `terraform apply` sees a difference and takes it back."""
    match difference.path:
        case ("clients", client_id, "attributes", name, *_):
            return name in _declared_attributes(client_id)
        case ("clients", client_id, field, *_):
            public = client_id in _contract().clients and _contract().clients[client_id].kind == "public"
            return field in _CLIENT_FIELDS or (public and field in _BROWSER_FIELDS)
        case ("attributes", name):
            return name in _REALM_ATTRIBUTES
    return difference.path[0] not in _UNWATCHED and difference.path[0] in read_lock()


def policy_address(name: str) -> str | None:
    """Return the address of a client policy."""
    if name not in {policy["name"] for policy in read_lock()["clientPolicies"]["policies"]}:
        return None
    if name == _METADATA:
        return f'keycloak_realm_client_policy_profile_policy.metadata_documents["{_METADATA}"]'
    return f"keycloak_realm_client_policy_profile_policy.{name.replace('-', '_')}"


def _profile(name: str) -> str | None:
    if name not in {profile["name"] for profile in read_lock()["clientProfiles"]["profiles"]}:
        return None
    short = name.removeprefix("secure-mcp-")
    if short == _METADATA:
        return f'keycloak_realm_client_policy_profile.metadata_documents["{_METADATA}"]'
    return f"keycloak_realm_client_policy_profile.{short.replace('-', '_')}"


@cache
def _contract() -> Contract:
    return load_contract(CONTRACT)


def _client(client_id: str) -> str | None:
    if client_id in _ACCOUNTS:
        return f'keycloak_openid_client.account["{client_id}"]'
    if client_id in _contract().downstream_apis:
        return f'keycloak_openid_client.downstream["{client_id}"]'
    client = _contract().clients.get(client_id)
    kind = "public" if client and client.kind == "public" else "confidential"
    return f'keycloak_openid_client.{kind}["{client_id}"]' if client else None


def _downstream_api(scope: str) -> str | None:
    api = scope.removesuffix("-audience")
    return api if api != scope and api in _contract().downstream_apis else None


def _scope(name: str) -> str | None:
    if api := _downstream_api(name):
        return f'keycloak_openid_client_scope.downstream["{api}"]'
    if name in _SCOPES:
        return f"keycloak_openid_client_scope.{_SCOPES[name]}"
    return f'keycloak_openid_client_scope.mcp["{name}"]' if name in _contract().scopes else None


def _key(name: str) -> str | None:
    provider = next((entry["providerId"] for entry in _entries(_KEYS) if entry["name"] == name), "")
    own = name != "rsa-generated" and provider in _KEY_KINDS
    return f'keycloak_realm_keystore_{_KEY_KINDS[provider]}_generated.signing["{name}"]' if own else None


@cache
def _entries(kind: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = read_lock()["components"][kind]
    return entries


def _declared_names(kind: str) -> set[str]:
    return {f"{entry['subType']}/{entry['providerId']}/{entry['name']}" for entry in _entries(kind)}


@cache
def _declared_attributes(client_id: str) -> frozenset[str]:
    clients = {client["clientId"]: client for client in read_lock()["clients"]}
    return frozenset(clients.get(client_id, {}).get("attributes", {}))
