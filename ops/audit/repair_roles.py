"""What repairs a difference of roles, and of who has them."""

import json
import shlex

from ops.audit.addresses import address_of
from ops.audit.difference import Difference, Kind
from ops.audit.kcadm import Repair, Root, map_roles


def account(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of a service account."""
    username, *rest = difference.path[1:]
    user = root.ids.get(f"user {username}", "?")
    if rest[:1] == ["groups"]:
        return Repair(before=(root.kcadm("delete", f"users/{user}/groups/{root.ids.get(f'group {rest[1]}', '?')}"),))
    if rest[:1] == ["realmRoles"] or rest[:1] == ["clientRoles"]:
        if difference.kind is Kind.REMOVED and rest[-1] in {"terraform-account", "auditor-account"}:
            return Repair(apply=True)
        verb = "remove-roles" if difference.kind is Kind.ADDED else "add-roles"
        client = ["--cclientid", shlex.quote(rest[1])] if rest[0] == "clientRoles" else []
        return Repair(before=(map_roles(root, verb, ["--uid", user, *client], rest[-1]),))
    if difference.kind is Kind.ADDED and not rest:
        mapped = difference.live or {}
        commands = [
            map_roles(root, "remove-roles", ["--uid", user, "--cclientid", shlex.quote(client)], role)
            for client, roles in mapped.get("clientRoles", {}).items()
            for role in roles
        ]
        return Repair(apply=True, before=tuple(commands))
    return Repair(by_hand=f"Look at {username} in the administration console.")


def administrator(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of who may administer the realm."""
    name = difference.path[1]
    roles = set((difference.live or "").split(", ")) - set((difference.declared or "").split(", "))
    if name.startswith("group "):
        holder = ["--gpath", shlex.quote(name.removeprefix("group "))]
    else:
        holder = ["--uid", root.ids.get(f"user {name}", "?")]
    composites = {role["name"] for role in root.live["roles"]["realm"]}
    commands = [
        map_roles(
            root, "remove-roles", [*holder, *([] if role in composites else ["--cclientid", "realm-management"])], role
        )
        for role in sorted(roles)
    ]
    return Repair(before=tuple(commands))


def role(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of a role."""
    path = difference.path
    owner = path[2] if path[1] == "client" else ""
    name, *rest = path[3:] if owner else path[2:]
    resource = f"clients/{root.ids.get(owner, '?')}/roles/{name}" if owner else f"roles/{name}"
    if difference.kind is Kind.ADDED and not rest:
        return Repair(before=(root.kcadm("delete", resource),))
    if address_of(difference):
        return Repair(apply=True)
    if rest[:1] == ["composites"]:
        verb = "remove-roles" if difference.kind is Kind.ADDED else "add-roles"
        inner = ["--cclientid", shlex.quote(rest[2])] if rest[1] == "client" else []
        outer = [*(["--cclientid", shlex.quote(owner)] if owner else []), "--rname", shlex.quote(name)]
        if owner:
            return Repair(by_hand=f"Take {rest[-1]} out of the role {owner}/{name} in the administration console.")
        return Repair(before=(map_roles(root, verb, [*outer, *inner], rest[-1]),))
    return Repair(by_hand=f"Set the role {name} back in the administration console.")


def scope_mapping(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of which roles tokens may carry."""
    holder = next(part for part in difference.path[1:] if part.startswith(("client ", "clientScope ")))
    kind, _, name = holder.partition(" ")
    resource = (
        f"clients/{root.ids.get(name, '?')}"
        if kind == "client"
        else f"client-scopes/{root.ids.get(f'scope {name}', '?')}"
    )
    by_client = difference.path[0] == "clientScopeMappings"
    end = f"clients/{root.ids.get(difference.path[1], '?')}" if by_client else "realm"
    if difference.kind is not Kind.ADDED:
        return Repair(apply=True)
    names = difference.live["roles"] if isinstance(difference.live, dict) else [difference.live]
    roles = root.live["roles"]["client"][difference.path[1]] if by_client else root.live["roles"]["realm"]
    body = [{"id": role["id"], "name": role["name"]} for role in roles if role["name"] in names]
    command = root.kcadm("delete", f"{resource}/scope-mappings/{end}", "-b", shlex.quote(json.dumps(body)))
    return Repair(before=(command,))


def group(difference: Difference, root: Root) -> Repair | None:
    """Return what repairs a difference of groups."""
    if difference.kind is Kind.ADDED and difference.path[0] == "groups":
        path = (difference.live or {}).get("path", f"/{difference.path[1]}")
        return Repair(before=(root.kcadm("delete", f"groups/{root.ids.get(f'group {path}', '?')}"),))
    return Repair(by_hand="Set the default groups back in the administration console.")
