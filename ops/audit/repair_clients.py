"""What repairs a difference of clients, their mappers and scopes."""

import json
import shlex

from ops.audit.addresses import address_of, watched
from ops.audit.difference import Difference, Kind
from ops.audit.kcadm import Repair, Root, create, entry_of, nothing


def client(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of a client, or of one of its fields."""
    client_id, *rest = difference.path[1:]
    managed = address_of(difference)
    client = f"clients/{root.ids.get(client_id, '?')}"
    if not rest:
        if difference.kind is Kind.ADDED:
            return Repair(before=(root.kcadm("delete", client),))
        return Repair(apply=True) if managed else Repair(by_hand=f"Import the client {client_id} from realm.lock.json.")
    if rest[0] == "protocolMappers":
        return mapper(difference, root, "client", client)
    if managed and watched(difference):
        return Repair(apply=True)
    if rest[0] in {"defaultClientScopes", "optionalClientScopes"}:
        kind = "default-client-scopes" if rest[0].startswith("default") else "optional-client-scopes"
        scope = f"{client}/{kind}/{root.ids.get(f'scope {rest[1]}', '?')}"
        return Repair(before=(root.kcadm("delete" if difference.kind is Kind.ADDED else "update", scope),))
    declared = entry_of(root.declared["clients"], "clientId", client_id)
    if rest[0] in {"attributes", "authenticationFlowBindingOverrides"}:
        # Keycloak keeps an attribute that an update does not name; an empty one goes away.
        value = declared.get(rest[0], {}).get(rest[1], "")
        return Repair(before=(root.set(client, f'{rest[0]}."{rest[1]}"', value),))
    return Repair(before=(root.set(client, rest[0], declared.get(rest[0], nothing(difference.live))),))


def mapper(difference: Difference, root: Root, kind: str, holder: str) -> Repair | None:
    """Return what repairs a difference of a mapper of a client or a scope."""
    owner, _, name = difference.path[1:4]
    mapper = f"{holder}/protocol-mappers/models/{root.ids.get(f'mapper {kind} {owner} {name}', '?')}"
    if difference.kind is Kind.ADDED and len(difference.path) == 4:
        return Repair(before=(root.kcadm("delete", mapper),))
    if address_of(difference):
        return Repair(apply=True)
    holders = root.declared["clients" if kind == "client" else "clientScopes"]
    declared = next(entry for entry in holders if owner in {entry.get("clientId"), entry.get("name")})
    body = entry_of(declared.get("protocolMappers", []), "name", name)
    if len(difference.path) == 4:
        return Repair(before=(create(root, f"{holder}/protocol-mappers/models", body),))
    command = root.kcadm("update", mapper, "-m", "-b", shlex.quote(json.dumps({"config": body.get("config", {})})))
    return Repair(before=(command,))


def scope(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of a client scope."""
    name, *rest = difference.path[1:]
    scope = f"client-scopes/{root.ids.get(f'scope {name}', '?')}"
    if not rest and difference.kind is Kind.ADDED:
        return Repair(before=(root.kcadm("delete", scope),))
    if rest[:1] == ["protocolMappers"]:
        return mapper(difference, root, "scope", scope)
    if address_of(difference):
        return Repair(apply=True)
    declared = entry_of(root.declared["clientScopes"], "name", name)
    if not rest:
        return Repair(before=(create(root, "client-scopes", declared),))
    value = declared.get(rest[0], "")
    if rest[0] == "attributes":
        return Repair(before=(root.set(scope, f'attributes."{rest[1]}"', value.get(rest[1], "")),))
    return Repair(before=(root.set(scope, rest[0], value),))


def secret(difference: Difference, root: Root) -> Repair:
    """Return what repairs a difference of a secret that is another one than declared."""
    client_id = difference.path[1]
    file = root.secret_file.get(client_id, f"FILE-OF-{client_id}")
    update = root.kcadm("update", f"clients/{root.ids.get(client_id, '?')}", "-m", "-f", "-")
    return Repair(before=(f"""printf '{{"secret": "%s"}}' "$(cat {shlex.quote(file)})" | {update}""",))


def registered(difference: Difference, root: Root) -> Repair:
    """Return what repairs a difference of a client that registered by itself."""
    client_id, what, *rest = difference.path[1:]
    client = f"clients/{root.ids.get(client_id, '?')}"
    if what == "mappers":
        mapper = root.ids.get(f"mapper client {client_id} {rest[0]}", "?")
        return Repair(before=(root.kcadm("delete", f"{client}/protocol-mappers/models/{mapper}"),))
    if what == "scopes":
        scope = root.ids.get(f"scope {rest[0]}", "?")
        default = any(
            rest[0] in entry.get("defaultClientScopes", [])
            for entry in root.live["clients"]
            if entry["clientId"] == client_id
        )
        kind = "default-client-scopes" if default else "optional-client-scopes"
        return Repair(before=(root.kcadm("delete", f"{client}/{kind}/{scope}"),))
    name = 'attributes."pkce.code.challenge.method"' if what == "pkce" else what
    return Repair(before=(root.set(client, name, difference.declared),))
