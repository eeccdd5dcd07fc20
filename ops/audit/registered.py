"""Clients that registered by themselves: listed apart, and held to the rules that registration has."""

from collections.abc import Mapping
from typing import Any

from service.contract import Contract

Json = dict[str, Any]

_MAPPERS = {"oidc-sha256-pairwise-sub-mapper"}  # terraform/keycloak/registration.tf


def set_apart(live: Json, ids: set[str]) -> list[Json]:
    """Take clients and their service accounts out of the live realm, and return the clients."""
    apart = [client for client in live["clients"] if client["clientId"] in ids]
    live["clients"] = [client for client in live["clients"] if client["clientId"] not in ids]
    live["users"] = [user for user in live["users"] if user.get("serviceAccountClientId") not in ids]
    live["roles"]["client"] = {name: roles for name, roles in live["roles"]["client"].items() if name not in ids}
    return apart


def allowed(clients: list[Json], contract: Contract, lock: Mapping[str, Any]) -> Json:
    """Return by client id what the rules of registration allow it to be, in the form of `seen`."""
    scopes = set(lock["defaultDefaultClientScopes"]) | set(lock["defaultOptionalClientScopes"])
    rules = {
        "fullScopeAllowed": False,
        "consentRequired": contract.registration["consent"],
        "directAccessGrantsEnabled": False,
        "implicitFlowEnabled": False,
        "pkce": "S256",
        "mappers": [],
    }
    return {client["clientId"]: rules | {"scopes": sorted(scopes & _scopes(client))} for client in clients}


def seen(clients: list[Json]) -> Json:
    """Return by client id what a client is."""
    return {
        client["clientId"]: {
            "fullScopeAllowed": client["fullScopeAllowed"],
            "consentRequired": client["consentRequired"],
            "directAccessGrantsEnabled": client["directAccessGrantsEnabled"],
            "implicitFlowEnabled": client["implicitFlowEnabled"],
            "pkce": client.get("attributes", {}).get("pkce.code.challenge.method", "none"),
            "mappers": sorted(
                mapper["name"]
                for mapper in client.get("protocolMappers", [])
                if mapper["protocolMapper"] not in _MAPPERS
            ),
            "scopes": sorted(_scopes(client)),
        }
        for client in clients
    }


def described(client: Json) -> str:
    """Return one sentence about a client for the list."""
    addresses = ", ".join(client.get("redirectUris", [])) or "no redirect URI"
    return (
        f"Registered by itself, no drift: {client['clientId']} ({client.get('name') or 'without a name'}; {addresses})."
    )


def _scopes(client: Json) -> set[str]:
    return {*client.get("defaultClientScopes", []), *client.get("optionalClientScopes", [])}
