"""Short-lived changes to a real realm, taken back when the test is done."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.realm import Realm


def client_of(realm: Realm, client_id: str) -> dict[str, Any]:
    """Return a client's representation."""
    return realm.admin.get(f"/{realm.name}/clients", clientId=client_id)[0]


def scope_ids(realm: Realm) -> dict[str, str]:
    """Return the ids of the realm's client scopes by name."""
    return {scope["name"]: scope["id"] for scope in realm.admin.get(f"/{realm.name}/client-scopes")}


@contextmanager
def changed_client(realm: Realm, client_id: str, attributes: Mapping[str, str]) -> Iterator[None]:
    """Set attributes of a client."""
    before = client_of(realm, client_id)
    path = f"/{realm.name}/clients/{before['id']}"
    realm.admin.put(path, json=before | {"attributes": before["attributes"] | dict(attributes)})
    try:
        yield
    finally:
        # An attribute that was not there must be emptied: Keycloak keeps what a PUT does not name.
        realm.admin.put(path, json=before | {"attributes": dict.fromkeys(attributes, "") | before["attributes"]})


@contextmanager
def scratch_client(
    realm: Realm,
    default_scopes: Sequence[str],
    audience: str | None = None,
    not_before: int | None = None,
    new_scope: str | None = None,
    session: bool = True,
) -> Iterator[str]:
    """Make a service account that has just these scopes; it does not outlive the block.

    Args:
        session: whether its tokens claim a session, as a person's do: without one it would have to be declared.
        audience: a custom audience of its own, by a mapper.
        not_before: the claim `nbf` of its tokens, by a mapper.
        new_scope: a client scope to make first.
    """
    client_id, secret = f"scratch-{secrets.token_hex(4)}", secrets.token_urlsafe(32)
    made: list[str] = []
    if new_scope:
        scope = {"name": new_scope, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"}}
        realm.admin.post(f"/{realm.name}/client-scopes", json=scope)
        made.append(f"/{realm.name}/client-scopes/{scope_ids(realm)[new_scope]}")
    client = {
        "clientId": client_id,
        "secret": secret,
        "publicClient": False,
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "fullScopeAllowed": False,
        "attributes": {"pkce.code.challenge.method": "S256"},
        # The marker of declared clients: undeclared ones get no grant without a person.
        "defaultClientScopes": ["basic", "mcp-declared", *default_scopes],
        "optionalClientScopes": [],
        "protocolMappers": [
            *([_mapper("oidc-audience-mapper", {"included.custom.audience": audience})] if audience else []),
            *([_claim("nbf", str(not_before), "long")] if not_before else []),
            *([_claim("sid", secrets.token_hex(16), "String")] if session else []),
        ],
    }
    realm.admin.post(f"/{realm.name}/clients", json=client)
    made.append(f"/{realm.name}/clients/{client_of(realm, client_id)['id']}")
    realm.secrets[client_id] = secret
    try:
        yield client_id
    finally:
        for path in reversed(made):
            realm.admin.delete(path)


@contextmanager
def leaky_audience(realm: Realm) -> Iterator[None]:
    """Put the audience on the ID token too, which is the default of Keycloak's mapper."""
    path = f"/{realm.name}/client-scopes/{scope_ids(realm)['mcp-audience']}/protocol-mappers/models"
    before = realm.admin.get(path)
    for mapper in before:
        realm.admin.put(
            f"{path}/{mapper['id']}", json=mapper | {"config": mapper["config"] | {"id.token.claim": "true"}}
        )
    try:
        yield
    finally:
        for mapper in before:
            realm.admin.put(f"{path}/{mapper['id']}", json=mapper)


def _mapper(kind: str, config: dict[str, str]) -> dict[str, Any]:
    return {
        "name": f"{kind} {config.get('claim.name', '')}",
        "protocol": "openid-connect",
        "protocolMapper": kind,
        "config": {"access.token.claim": "true", "id.token.claim": "false"} | config,
    }


def _claim(name: str, value: str, kind: str) -> dict[str, Any]:
    config = {"claim.name": name, "claim.value": value, "jsonType.label": kind}
    return _mapper("oidc-hardcoded-claim-mapper", config)
