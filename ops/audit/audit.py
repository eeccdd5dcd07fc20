"""The live realm against the declared one: every difference a finding, with the command that repairs it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ops.admin import AdminClient
from ops.audit import consistency, registered
from ops.audit.collect import collect_beyond, collect_realm
from ops.audit.declared import Declared, declared_side, live_side, registered_clients, secrets_side
from ops.audit.difference import Difference, Kind, differences
from ops.audit.kcadm import Repair, Root
from ops.audit.repair import repair_of
from ops.audit.rules import judge
from ops.findings.model import Finding
from ops.realm import read_lock

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference, what it means and what repairs it."""

    difference: Difference
    finding: Finding
    repair: Repair


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit saw.

    Args:
        drift: every difference.
        registered: ids of the clients that registered by themselves.
        notes: what is worth knowing and no drift.
        export: the live realm as a partial export, secrets masked: what other judges read.
    """

    drift: tuple[Drift, ...]
    registered: tuple[str, ...]
    notes: tuple[str, ...]
    export: Json


def moved_issuer(declared: Declared, live: str, realm: str, root: Root) -> Drift | None:
    """Return the drift of a realm that says it lives elsewhere; no account of it can then read the rest.

    Args:
        declared: what it is compared with.
        live: the issuer that its metadata names.
        realm: name of the live realm.
        root: where the repair is run.
    """
    if not declared.issuer or live == declared.issuer:
        return None
    difference = Difference(("attributes", "frontendUrl"), Kind.CHANGED, declared.issuer, live)
    return _drift(difference, replace(root, realm=realm))


def audit_realm(admin: AdminClient, realm: str, declared: Declared, root: Root) -> Audit:
    """Compare the live realm with what is declared. Changes nothing.

    Args:
        admin: the account `auditor`, or one with its rights.
        realm: name of the live realm.
        declared: what it is compared with.
        root: where the repair is run.

    Raises:
        OperatorError: Keycloak does not answer (exit code 3), or the account may not read something.
    """
    collected = collect_realm(admin, realm)
    beyond = collect_beyond(admin, realm, collected)
    ids = {client["clientId"]: client["id"] for client in collected["clients"]}
    lock = read_lock(declared.lock)
    is_declared, live = declared_side(declared), live_side(collected, beyond, declared)
    by_themselves = registered_clients(live, lock, {*declared.known, *beyond["registeredClients"]})
    apart = registered.set_apart(live, by_themselves)
    is_declared["registered"] = registered.allowed(apart, declared.contract, lock)
    live["registered"] = registered.seen(apart)
    is_declared["secrets"], live["secrets"] = secrets_side(collected, declared)
    is_declared["policyOrder"], live["policyOrder"] = _orders(is_declared, live)
    is_declared["lock"] = consistency.contract_side(declared.contract)
    live["lock"] = consistency.lock_side(lock, declared.contract)
    found = _telling(differences(_resolved(is_declared, declared), _resolved(live, declared)), live)
    where = replace(root, realm=realm, ids=_ids(collected, beyond) | ids, live=collected)
    drift = tuple(_drift(difference, where) for difference in found)
    notes = [registered.described(client) for client in apart]
    if unjudged := sorted(_confidential(live) - declared.secrets.keys()):
        notes.append(
            f"Not judged, for want of the declared secret: whether somebody changed that of {', '.join(unjudged)}."
        )
    return Audit(drift, tuple(sorted(by_themselves)), tuple(notes), _masked(collected))


def _orders(declared: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[str, str]:
    """Return the orders of the client policies; what was added or removed is told by itself."""
    orders = [[policy["name"] for policy in side["clientPolicies"]["policies"]] for side in (declared, live)]
    if sorted(orders[0]) != sorted(orders[1]):
        return "", ""
    return ", ".join(orders[0]), ", ".join(orders[1])


def _drift(difference: Difference, root: Root) -> Drift:
    repair = repair_of(difference, root)
    return Drift(difference, replace(judge(difference), fix=repair.sentence), repair)


def _telling(found: list[Difference], live: Mapping[str, Any]) -> list[Difference]:
    """Leave out what only follows from another difference, which is told."""
    strange = {
        difference.path[1] for difference in found if difference.path[:1] == ("clients",) and _is_whole(difference)
    }
    accounts = {user["username"] for user in live["users"]}
    parts = {
        step.get("authenticatorConfig")
        for difference in found
        if difference.path[0] == "authenticationFlows" and len(difference.path) == 2 and difference.live
        for step in difference.live["authenticationExecutions"]
    }
    return [difference for difference in found if not _follows(difference, strange, accounts, parts)]


def _resolved(value: Any, declared: Declared) -> Any:
    """Return a representation with the origin of the service in place of its placeholder."""
    text = json.dumps(value).replace("${SECURE_MCP_PUBLIC_URL}", declared.public_url)
    return json.loads(text)


def _is_whole(difference: Difference) -> bool:
    return len(difference.path) == 2 and difference.kind is not Kind.CHANGED


def _follows(difference: Difference, strange: set[str], accounts: set[str], parts: set[str]) -> bool:
    match difference.path:
        case ("users", username) if difference.live is not None:
            roles = difference.live.get("realmRoles", []), difference.live.get("clientRoles", {})
            return roles[0] in ([], ["default-roles-mcp-realm"]) and not any(roles[1].values())
        case ("users", username):
            return True  # the client that it belonged to is gone, or has no service account any more: told there
        case ("authenticationFlows", _) if difference.kind is Kind.ADDED:
            return not difference.live["topLevel"]  # told with the flow that it is a part of
        case ("authenticatorConfig", alias) if difference.kind is Kind.ADDED:
            return alias in parts
        case ("administrators", username, *_):
            return username in accounts
        case ("roles", "client", client_id, *_):
            return client_id in strange
        case ("scopeMappings" | "clientScopeMappings", *rest):
            return any(part == f"client {client_id}" or part == client_id for part in rest for client_id in strange)
    return False


def _confidential(live: Mapping[str, Any]) -> set[str]:
    return {client["clientId"] for client in live["clients"] if str(client.get("secret", "")).startswith("${")}


def _ids(collected: Mapping[str, Any], beyond: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids of what may have to be deleted, by kind and name."""
    found: dict[str, str] = beyond["ids"] | collected["executionIds"]
    found |= {f"config {config['alias']}": config["id"] for config in collected["authenticatorConfig"]}
    for scope in collected["clientScopes"]:
        found[f"scope {scope['name']}"] = scope["id"]
    for kind, holders in (("client", collected["clients"]), ("scope", collected["clientScopes"])):
        for holder in holders:
            for mapper in holder.get("protocolMappers", []):
                name = holder.get("clientId") or holder["name"]
                found[f"mapper {kind} {name} {mapper['name']}"] = mapper["id"]
    for user in collected["users"]:
        found[f"user {user['username']}"] = user["id"]
    for flow in collected["authenticationFlows"]:
        found[f"flow {flow['alias']}"] = flow["id"]
    for kind, entries in collected["components"].items():
        for entry in entries:
            name = entry["name"]
            if "subType" in entry:
                name = f"{entry['subType']}/{entry['providerId']}/{name}"
            found[f"component {kind} {name}"] = entry["id"]
    for group in collected["groups"]:
        found[f"group {group['path']}"] = group["id"]
    return found


def _masked(collected: Json) -> Json:
    """Return the realm without the secrets of its clients."""
    clients = [{key: value for key, value in client.items() if key != "secret"} for client in collected["clients"]]
    return collected | {"clients": clients}
