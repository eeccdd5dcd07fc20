"""Realms that nobody declared, made by the Admin API as people make them at the console, and by a tutorial."""

import secrets
from typing import Any

from ops.admin import AdminClient

POLICIES = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"


def hand_made(admin: AdminClient, realm: str) -> dict[str, str]:
    """Make a realm as a team would that has run Keycloak for a while. Returns the secrets of its clients."""
    admin.post("", json={"realm": realm, "enabled": True, "accessTokenLifespan": 240, "ssoSessionIdleTimeout": 3600,
                         "bruteForceProtected": True, "failureFactor": 10, "registrationAllowed": False})  # fmt: skip
    read = {
        "include.in.token.scope": "true",
        "consent.screen.text": "Read your files",
        "display.on.consent.screen": "true",
    }
    _scope(
        admin,
        realm,
        {"name": "files:read", "description": "Read files.", "protocol": "openid-connect", "attributes": read},
    )
    _scope(admin, realm, {"name": "department", "protocol": "openid-connect", "attributes": {}})
    admin.post(f"/{realm}/roles", json={"name": "mcp-user", "description": "Somebody made it"})
    admin.post(f"/{realm}/roles", json={"name": "clerk"})
    keys = {name: secrets.token_urlsafe(32) for name in ("nightly-job", "files-api", "portal")}
    keys["old-job"] = "short"
    loopback = {"redirectUris": ["http://127.0.0.1/callback"], "attributes": {"pkce.code.challenge.method": "S256"}}
    job = {"publicClient": False, "standardFlowEnabled": False, "serviceAccountsEnabled": True}
    clients: dict[str, dict[str, Any]] = {
        "desk": {"publicClient": True, "directAccessGrantsEnabled": True, "optionalClientScopes": ["files:read"]}
        | loopback,
        "kiosk": {"publicClient": True, "redirectUris": ["https://kiosk.example/*"]},
        "nightly-job": {"defaultClientScopes": ["basic", "roles", "files:read"], "directAccessGrantsEnabled": True}
        | job,
        "old-job": job,
        "files-api": {"publicClient": False, "standardFlowEnabled": False},
        "portal": {"publicClient": False, "redirectUris": ["https://portal.example/cb"]},
    }
    for client_id, fields in clients.items():
        secret = {"secret": keys[client_id]} if client_id in keys else {}
        admin.post(f"/{realm}/clients", json={"clientId": client_id, "enabled": True} | secret | fields)
    admin.post(f"/{realm}/users", json={"username": "somebody", "enabled": True})
    return keys


def tutorial(admin: AdminClient, realm: str) -> dict[str, str]:
    """Make a realm as tutorials for an MCP server do: a scope with an audience, registration open to localhost."""
    admin.post("", json={"realm": realm, "enabled": True})
    mapper = {
        "name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
        "config": {"included.custom.audience": "http://localhost:8000/mcp", "access.token.claim": "true"},
    }  # fmt: skip
    attributes = {"include.in.token.scope": "true", "display.on.consent.screen": "true"}
    _scope(
        admin,
        realm,
        {"name": "mcp:run", "protocol": "openid-connect", "attributes": attributes, "protocolMappers": [mapper]},
    )
    entries = admin.get(f"/{realm}/components", type=POLICIES)
    trusted = next(entry for entry in entries if entry["providerId"] == "trusted-hosts")
    config = {"trusted-hosts": ["localhost"], "host-sending-registration-request-must-match": ["false"],
              "client-uris-must-match": ["true"]}  # fmt: skip
    admin.put(f"/{realm}/components/{trusted['id']}", json=trusted | {"config": config})
    allowed = next(entry for entry in entries if entry["providerId"] == "max-clients")
    admin.delete(f"/{realm}/components/{allowed['id']}")
    admin.post(f"/{realm}/users", json={"username": "alice", "enabled": True})
    return {}


def _scope(admin: AdminClient, realm: str, scope: dict[str, Any]) -> None:
    admin.post(f"/{realm}/client-scopes", json=scope)
