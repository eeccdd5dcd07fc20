"""What repairs a difference of policies, keys, flows and the realm itself."""

import json
import shlex

from ops.audit.addresses import address_of, policy_address
from ops.audit.difference import Difference, Kind
from ops.audit.kcadm import Repair, Root, create, entry_of, nothing, set_realm
from ops.realm import read_lock


def policies(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of client policies and profiles."""
    what = "policies" if difference.path[0] == "clientPolicies" else "profiles"
    address = address_of(difference)
    if address and len(difference.path) == 3 and difference.kind is Kind.REMOVED:
        return Repair(apply=True, replace=_from_on(difference.path[2]) if what == "policies" else (address,))
    if address:
        return Repair(apply=True)
    body = json.dumps({what: root.declared[difference.path[0]][what]})
    return Repair(before=(root.kcadm("update", f"client-policies/{what}", "-b", shlex.quote(body)),))


def policy_order(_: Difference, __: Root) -> Repair:
    """Return what repairs the order of client policies."""
    return Repair(apply=True, replace=_from_on())


def _from_on(name: str = "") -> tuple[str, ...]:
    """Return the policies from one on: what is made anew comes last, and Keycloak goes through them in their order."""
    names = [policy["name"] for policy in read_lock()["clientPolicies"]["policies"]]
    names = names[names.index(name) if name else 0 :]
    return tuple(address for name in names if (address := policy_address(name)))


def component(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of a key, a registration policy or another component."""
    kind, name, *rest = difference.path[1:]
    component = f"components/{root.ids.get(f'component {kind} {name}', '?')}"
    if difference.kind is Kind.ADDED and not rest:
        return Repair(before=(root.kcadm("delete", component),))
    if address_of(difference):
        return Repair(apply=True)
    declared = entry_of(root.declared["components"].get(kind, []), "name", name)
    if not rest:
        return Repair(before=(create(root, "components", declared | {"providerType": kind}),))
    value = declared.get(rest[0], {}).get(rest[1], []) if len(rest) > 1 else declared.get(rest[0], "")
    return Repair(before=(root.set(component, ".".join(rest[:2]), value),))


def flow(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of a login flow."""
    alias = difference.path[1]
    if difference.kind is Kind.ADDED and len(difference.path) == 2 and difference.path[0] == "authenticationFlows":
        return Repair(after=(root.kcadm("delete", f"authentication/flows/{root.ids.get(f'flow {alias}', '?')}"),))
    if difference.path[0] == "authenticatorConfig":
        declared = entry_of(root.declared["authenticatorConfig"], "alias", alias)
        resource = f"authentication/config/{root.ids.get(f'config {alias}', '?')}"
        return Repair(before=(root.kcadm("update", resource, "-b", shlex.quote(json.dumps(declared))),))
    commands = []
    for step in difference.declared or [] if isinstance(difference.declared, list) else []:
        name = step.get("authenticator") or step.get("flowAlias")
        now = next(
            (other for other in difference.live or [] if name in {other.get("authenticator"), other.get("flowAlias")}),
            None,
        )
        if now and (now["requirement"], now["priority"]) != (step["requirement"], step["priority"]):
            body = {"id": root.ids.get(f"execution {alias} {name}", "?")} | {
                field: step[field] for field in ("requirement", "priority")
            }
            resource = f"authentication/flows/{alias}/executions"
            commands.append(root.kcadm("update", resource, "-b", shlex.quote(json.dumps(body))))
    if commands:
        return Repair(before=tuple(commands))
    return Repair(by_hand=f"Set the flow {alias} back in the administration console; realm.lock.json has its steps.")


def required_action(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of a required action."""
    alias, *rest = difference.path[1:]
    resource = f"authentication/required-actions/{alias}"
    declared = entry_of(root.declared["requiredActions"], "alias", alias)
    if rest:
        return Repair(before=(root.set(resource, rest[0], declared.get(rest[0])),))
    if difference.kind is Kind.ADDED:
        return Repair(before=(root.kcadm("delete", resource),))
    body = {"providerId": declared["providerId"], "name": declared["name"]}
    again = root.kcadm("update", resource, "-b", shlex.quote(json.dumps(declared)))
    return Repair(before=(create(root, "authentication/register-required-action", body), again))


def identity_provider(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of an identity provider."""
    if difference.path[0] == "identityProviders" and difference.kind is Kind.ADDED:
        return Repair(before=(root.kcadm("delete", f"identity-provider/instances/{difference.path[1]}"),))
    return None


def initial_access(difference: Difference, root: Root) -> Repair:
    """Return what repairs a difference of an initial access token that is about."""
    return Repair(before=(root.kcadm("delete", f"clients-initial-access/{difference.path[1]}"),))


def lock(_: Difference, __: Root) -> Repair:
    """Return what repairs a difference of contract and lock file."""
    return Repair(
        by_hand="Apply what access.yaml declares, write the lock file anew (make snapshot), review both as one diff."
    )


def localization(difference: Difference, root: Root) -> Repair:
    """Return what repairs a difference of texts of the login page."""
    return Repair(before=(root.kcadm("delete", f"localization/{difference.path[1]}"),))


def realm_field(difference: Difference, root: Root) -> Repair:
    """Return what repairs a difference of a field of the realm itself."""
    name, *rest = difference.path
    declared = root.declared.get(name, nothing(difference.live))
    if name == "attributes" and rest:
        return Repair(before=(set_realm(root, f'attributes."{rest[0]}"', declared.get(rest[0], "")),))
    return Repair(before=(set_realm(root, name, declared),))
