"""Does the lock file say what the access contract says? Both are judged by people, and the audit goes by both."""

from collections.abc import Mapping
from typing import Any

from service.contract import Client, Contract

Json = dict[str, Any]

_PUBLIC_URL = "${SECURE_MCP_PUBLIC_URL}"
_KINDS = {
    "public": {"publicClient": True, "standardFlowEnabled": True, "serviceAccountsEnabled": False},
    "service_account": {"publicClient": False, "standardFlowEnabled": False, "serviceAccountsEnabled": True},
    "resource_server": {"publicClient": False, "standardFlowEnabled": False, "serviceAccountsEnabled": False},
}
_LIFETIMES = {
    "access_token": "accessTokenLifespan",
    "authorization_code": "accessCodeLifespan",
    "session_idle": "ssoSessionIdleTimeout",
    "session_max": "ssoSessionMaxLifespan",
    "offline_idle": "offlineSessionIdleTimeout",
    "offline_max": "offlineSessionMaxLifespan",
    "events": "eventsExpiration",
}


def contract_side(contract: Contract) -> Json:
    """Return what the contract says about what both know."""
    return {
        "clients": {client_id: _client(client, set(contract.scopes)) for client_id, client in contract.clients.items()},
        "lifetimes": {name: contract.lifetimes[name] for name in _LIFETIMES},
        "scopes": sorted(contract.scopes),
    }


def lock_side(lock: Mapping[str, Any], contract: Contract) -> Json:
    """Return what the lock file says about the same."""
    clients = {client["clientId"]: client for client in lock["clients"]}
    return {
        "clients": {name: _live_client(clients[name], contract) for name in contract.clients if name in clients},
        "lifetimes": {name: lock[field] for name, field in _LIFETIMES.items()},
        "scopes": sorted(scope["name"] for scope in lock["clientScopes"] if scope["name"] in contract.scopes),
    }


def _client(client: Client, scopes: set[str]) -> Json:
    redirects = {*client.redirect_uris, *(f"{_PUBLIC_URL}{path}" for path in client.redirect_paths)}
    return _KINDS[client.kind] | {
        "consent": client.consent,
        "redirects": sorted(redirects),
        "default": sorted(scopes & set(client.default_scopes)),
        "optional": sorted(scopes & set(client.optional_scopes)),
    }


def _live_client(client: Json, contract: Contract) -> Json:
    scopes = set(contract.scopes)
    return {field: client[field] for field in _KINDS["public"]} | {
        "consent": client["consentRequired"],
        "redirects": sorted(client.get("redirectUris", [])),
        "default": sorted(scopes & set(client.get("defaultClientScopes", []))),
        "optional": sorted(scopes & set(client.get("optionalClientScopes", []))),
    }
