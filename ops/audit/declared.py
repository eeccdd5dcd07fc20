"""The two sides of the audit: the realm as it is declared, and the live one in the same form."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.normalise import MASK, normalise
from ops.realm import LOCK, read_lock
from service.contract import Contract

Json = dict[str, Any]

_PUBLIC_URL = "${SECURE_MCP_PUBLIC_URL}"
# Keycloak leaves these out of what view rights show; the lock file has them from its export.
_UNSEEN_FLOWS = {"saml ecp"}
_UNSEEN = {"keycloakVersion", "id", "realm", "executionIds"}
_MANAGEMENT = "realm-management"
_METADATA_DOCUMENT = "client-id-metadata-document"


@dataclass(frozen=True, slots=True)
class Declared:
    """What the live realm is compared with.

    Args:
        contract: the access contract.
        public_url: origin of the service.
        ssl_required: `all` or `external`.
        service_url: origin under which Keycloak reaches the service; None means public_url.
        secrets: declared secret by client id; a client that is not named is not judged.
        known: ids of clients that registered by themselves, as far as earlier runs saw them.
        lock: the lock file.
        issuer: issuer of the realm; None means that it is not judged.
    """

    contract: Contract
    public_url: str
    ssl_required: str
    service_url: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    known: Iterable[str] = ()
    lock: Path = LOCK
    issuer: str | None = None


def declared_side(declared: Declared) -> Json:
    """Return the declared realm: the lock file with the values of one environment."""
    lock = read_lock(declared.lock)
    side = {key: value for key, value in lock.items() if key not in _UNSEEN}
    side["sslRequired"] = declared.ssl_required
    side["authenticationFlows"] = [flow for flow in lock["authenticationFlows"] if flow["alias"] not in _UNSEEN_FLOWS]
    if declared.service_url and declared.service_url != declared.public_url:
        for client in side["clients"]:
            if url := client.get("attributes", {}).get("backchannel.logout.url"):
                client["attributes"]["backchannel.logout.url"] = url.replace(_PUBLIC_URL, declared.service_url)
    holders = administrative_roles(lock["roles"])
    side["administrators"] = {
        user["username"]: ", ".join(sorted(held))
        for user in lock.get("users", [])
        if (held := holders & set(user["realmRoles"]))
    }
    return side


def live_side(collected: Mapping[str, Any], beyond: Mapping[str, Any], declared: Declared) -> Json:
    """Return the live realm as `declared_side` has it.

    Args:
        collected: what `collect_realm` returned.
        beyond: what `collect_beyond` returned.
        declared: what it will be compared with.
    """
    side = normalise(_unmasked(collected), declared.public_url)
    side["sslRequired"] = collected["sslRequired"]
    side["administrators"] = beyond["administrators"]
    side["initialAccess"] = {
        token["id"]: str(token["remainingCount"]) for token in beyond["initialAccess"] if token["remainingCount"]
    }
    return {key: value for key, value in side.items() if key not in _UNSEEN}


def secrets_side(collected: Mapping[str, Any], declared: Declared) -> tuple[Json, Json]:
    """Return by client whether its live secret is the declared one; the secrets themselves go no further."""
    live = {client["clientId"]: client.get("secret", "") for client in collected["clients"]}
    judged = {client_id: secret for client_id, secret in declared.secrets.items() if client_id in live}
    same = {
        client_id: "declared" if hmac.compare_digest(secret.encode(), live[client_id].encode()) else "another"
        for client_id, secret in judged.items()
    }
    return dict.fromkeys(judged, "declared"), same


def administrative_roles(roles: Mapping[str, Any]) -> set[str]:
    """Return the realm roles that hold a role of realm-management."""
    return {role["name"] for role in roles["realm"] if role.get("composites", {}).get("client", {}).get(_MANAGEMENT)}


def registered_clients(live: Mapping[str, Any], lock: Mapping[str, Any], known: Iterable[str]) -> set[str]:
    """Return the live clients that registered by themselves (RFC 7591), or by a metadata document."""
    declared = {client["clientId"] for client in lock["clients"]}
    others = {client["clientId"] for client in live["clients"]} - declared
    executors = {
        executor["executor"]
        for profile in lock.get("clientProfiles", {}).get("profiles", [])
        for executor in profile.get("executors", [])
    }
    by_document = {client_id for client_id in others if client_id.startswith("https://")}
    return (others & set(known)) | (by_document if _METADATA_DOCUMENT in executors else set())


def _unmasked(value: Any) -> Any:
    """Keycloak masks secrets; the mask is a value like another here, for normalise refuses it in a lock file."""
    if isinstance(value, Mapping):
        return {key: _unmasked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unmasked(item) for item in value]
    return "(a secret)" if value == MASK else value
