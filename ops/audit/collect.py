"""The live realm in the form of a partial export, read by an account that may change nothing.

Keycloak's own partial export asks for `manage-realm`; this puts the same document together from what view rights show,
and adds what no export has: who holds rights over the realm, which tokens for registration are about.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ops.admin import AdminClient

Json = dict[str, Any]

_ADMINISTRATION = "realm-management"
_PAGE = 100


def collect_realm(admin: AdminClient, realm: str) -> Json:
    """Return the realm with clients, scopes, roles, flows, components and policies; clients keep their `secret`.

    Args:
        admin: an account with the roles of terraform/keycloak/accounts.tf.
        realm: name of the realm.

    Raises:
        OperatorError: Keycloak does not answer (exit code 3), or the account may not read something.
    """
    reader = _Reader(admin, realm)
    found: Json = reader.get("")
    clients = reader.all("/clients")
    by_id = {client["id"]: client["clientId"] for client in clients}
    scopes = reader.get("/client-scopes")
    found["clients"] = [_client(client) for client in clients]
    found["clientScopes"] = scopes
    found["defaultDefaultClientScopes"] = _names(reader.get("/default-default-client-scopes"))
    found["defaultOptionalClientScopes"] = _names(reader.get("/default-optional-client-scopes"))
    found["roles"] = _roles(reader, clients, by_id)
    found["scopeMappings"], found["clientScopeMappings"] = _scope_mappings(reader, clients, scopes)
    found["groups"] = _groups(reader)
    found["users"] = _service_accounts(reader, clients)
    found["components"] = _components(reader, found["id"])
    found["authenticationFlows"], found["authenticatorConfig"], found["executionIds"] = _flows(reader)
    found["requiredActions"] = reader.get("/authentication/required-actions")
    found["identityProviders"] = reader.get("/identity-provider/instances")
    found["identityProviderMappers"] = [
        mapper
        for provider in found["identityProviders"]
        for mapper in reader.get(f"/identity-provider/instances/{provider['alias']}/mappers")
    ]
    found["clientProfiles"] = {"profiles": reader.get("/client-policies/profiles").get("profiles", [])}
    found["clientPolicies"] = {"policies": reader.get("/client-policies/policies").get("policies", [])}
    found["localizationTexts"] = {
        locale: reader.get(f"/localization/{locale}") for locale in reader.get("/localization")
    }
    return found


def collect_beyond(admin: AdminClient, realm: str, collected: Json) -> Json:
    """Return what an export does not have: holders of administrative rights, initial access tokens, registered clients.

    Args:
        admin: as for `collect_realm`.
        realm: name of the realm.
        collected: what `collect_realm` returned.
    """
    reader = _Reader(admin, realm)
    management = next(client["id"] for client in collected["clients"] if client["clientId"] == _ADMINISTRATION)
    paths = {
        name: f"/clients/{management}/roles/{name}" for name in _names(collected["roles"]["client"][_ADMINISTRATION])
    }
    paths |= {
        role["name"]: f"/roles/{quote(role['name'], safe='')}"
        for role in collected["roles"]["realm"]
        # The default role is everybody's: that it administers is told as what it is, and not for each person.
        if role.get("composites", {}).get("client", {}).get(_ADMINISTRATION)
        and role["id"] != collected["defaultRole"]["id"]
    }
    holders: dict[str, set[str]] = {}
    ids: dict[str, str] = {}
    for name, path in paths.items():
        for user in reader.get(f"{path}/users", max=_PAGE):
            holders.setdefault(user["username"], set()).add(name)
            ids[f"user {user['username']}"] = user["id"]
        for group in reader.get(f"{path}/groups", max=_PAGE):
            holders.setdefault(f"group {group['path']}", set()).add(name)
    events = reader.get("/events", type="CLIENT_REGISTER", max=_PAGE * 10)
    return {
        "administrators": {name: ", ".join(sorted(roles)) for name, roles in sorted(holders.items())},
        "initialAccess": reader.get("/clients-initial-access"),
        "registeredClients": sorted({event["clientId"] for event in events if event.get("clientId")}),
        "ids": ids,
    }


class _Reader:
    def __init__(self, admin: AdminClient, realm: str) -> None:
        self._admin = admin
        self._realm = realm

    def get(self, path: str, **params: str | int | bool) -> Any:
        return self._admin.get(f"/{self._realm}{path}", **params)

    def all(self, path: str) -> list[Json]:
        """Return every entry of a list that Keycloak gives in pages."""
        entries: list[Json] = []
        while True:
            page = self.get(path, first=len(entries), max=_PAGE)
            entries += page
            if len(page) < _PAGE:
                return entries


def _names(entries: Iterable[Json]) -> list[str]:
    return [entry["name"] for entry in entries]


def _client(client: Json) -> Json:
    """Leave out what says what the asking account may do."""
    return {key: value for key, value in client.items() if key != "access"}


def _roles(reader: _Reader, clients: list[Json], by_id: dict[str, str]) -> Json:
    def complete(role: Json) -> Json:
        if not role.get("composite"):
            return role
        parts: Json = {}
        for part in reader.get(f"/roles-by-id/{role['id']}/composites"):
            if part.get("clientRole"):
                parts.setdefault("client", {}).setdefault(by_id[part["containerId"]], []).append(part["name"])
            else:
                parts.setdefault("realm", []).append(part["name"])
        return role | {"composites": parts}

    return {
        "realm": [complete(role) for role in reader.get("/roles", briefRepresentation=False)],
        "client": {
            client["clientId"]: [
                complete(role) for role in reader.get(f"/clients/{client['id']}/roles", briefRepresentation=False)
            ]
            for client in clients
        },
    }


def _scope_mappings(reader: _Reader, clients: list[Json], scopes: list[Json]) -> tuple[list[Json], Json]:
    of_realm: list[Json] = []
    of_clients: dict[str, list[Json]] = {}
    holders = [("client", client["clientId"], f"/clients/{client['id']}") for client in clients]
    holders += [("clientScope", scope["name"], f"/client-scopes/{scope['id']}") for scope in scopes]
    for kind, name, path in holders:
        mapped = reader.get(f"{path}/scope-mappings")
        if mapped.get("realmMappings"):
            of_realm.append({kind: name, "roles": _names(mapped["realmMappings"])})
        for client_id, mapping in mapped.get("clientMappings", {}).items():
            of_clients.setdefault(client_id, []).append({kind: name, "roles": _names(mapping["mappings"])})
    return of_realm, of_clients


def _groups(reader: _Reader) -> list[Json]:
    def complete(group: Json) -> Json:
        children = reader.get(f"/groups/{group['id']}/children", briefRepresentation=False, max=_PAGE)
        kept = {key: value for key, value in group.items() if key not in {"access", "subGroupCount", "parentId"}}
        return kept | {"subGroups": [complete(child) for child in children]}

    return [complete(group) for group in reader.get("/groups", briefRepresentation=False, max=_PAGE)]


def _service_accounts(reader: _Reader, clients: list[Json]) -> list[Json]:
    users = []
    for client in clients:
        if not client.get("serviceAccountsEnabled"):
            continue
        user = reader.get(f"/clients/{client['id']}/service-account-user")
        mapped = reader.get(f"/users/{user['id']}/role-mappings")
        roles: Json = {"realmRoles": _names(mapped.get("realmMappings", []))}
        by_client = {name: _names(entry["mappings"]) for name, entry in mapped.get("clientMappings", {}).items()}
        groups = [group["path"] for group in reader.get(f"/users/{user['id']}/groups")]
        kept = {key: value for key, value in user.items() if key not in {"access", "userProfileMetadata"}}
        users.append(
            kept
            | roles
            | ({"clientRoles": by_client} if by_client else {})
            | {"groups": groups, "serviceAccountClientId": client["clientId"]}
        )
    return users


def _components(reader: _Reader, realm_id: str) -> Json:
    entries = reader.get("/components")

    def below(parent: str) -> Json:
        found: Json = {}
        for entry in entries:
            if entry.get("parentId") == parent:
                kept = {key: value for key, value in entry.items() if key not in {"parentId", "providerType"}}
                found.setdefault(entry["providerType"], []).append(kept | {"subComponents": below(entry["id"])})
        return found

    return below(realm_id)


def _flows(reader: _Reader) -> tuple[list[Json], list[Json], dict[str, str]]:
    flows: dict[str, Json] = {}
    configs: dict[str, Json] = {}
    ids: dict[str, str] = {}
    waiting = [flow["id"] for flow in reader.get("/authentication/flows")]
    while waiting:
        flow = reader.get(f"/authentication/flows/{waiting.pop()}")
        if flow["id"] in flows:
            continue
        flows[flow["id"]] = flow
        for execution in reader.get(f"/authentication/flows/{flow['alias']}/executions"):
            if execution["level"] == 0:
                name = execution["displayName"] if execution.get("flowId") else execution["providerId"]
                ids[f"execution {flow['alias']} {name}"] = execution["id"]
            if execution.get("flowId"):
                waiting.append(execution["flowId"])
            if config := execution.get("authenticationConfig"):
                configs[config] = reader.get(f"/authentication/config/{config}")
    return list(flows.values()), list(configs.values()), ids
