"""Commands of kcadm.sh, Keycloak's own administration client, and what a repair is made of. Nothing is run here."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Repair:
    """What repairs one difference.

    Args:
        apply: whether `terraform apply` is needed.
        replace: resources that it has to make anew, for it does not notice what happened to them.
        before: kcadm commands to run before it.
        after: kcadm commands to run after it.
        by_hand: what only a person can do; empty when commands suffice.
    """

    apply: bool = False
    replace: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    by_hand: str = ""

    @property
    def sentence(self) -> str:
        """The repair as the `fix` of a finding."""
        options = "".join(f" -replace={shlex.quote(address)}" for address in self.replace)
        terraform = [f"terraform apply{options}"] if self.apply else []
        commands = [*self.before, *terraform, *self.after]
        return self.by_hand or f"Run: {'; then '.join(commands)}"


@dataclass(frozen=True, slots=True)
class Root:
    """What the commands need to know.

    Args:
        realm: name of the live realm.
        declared: the lock file with the values of the environment, as an import would have it.
        ids: ids of live things, by client id or by kind and name.
        live: the realm as it was collected.
        secret_file: path of the file that holds a client's declared secret, by client id.
    """

    realm: str = ""
    declared: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    live: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret_file: Mapping[str, str] = field(default_factory=dict)

    def kcadm(self, verb: str, resource: str, *options: str) -> str:
        """Return a command of Keycloak's administration client, quoted for a shell."""
        return " ".join(["kcadm.sh", verb, shlex.quote(resource), "-r", shlex.quote(self.realm), *options])

    def set(self, resource: str, name: str, value: Any) -> str:
        """Return the command that sets one field of a resource."""
        text = value if isinstance(value, str) else json.dumps(value)
        return self.kcadm("update", resource, "-s", shlex.quote(f"{name}={text}"))


def entry_of(entries: Iterable[Mapping[str, Any]], field_name: str, value: str) -> dict[str, Any]:
    """Return the entry of a list that has a name, or an empty one."""
    return next((dict(entry) for entry in entries if entry.get(field_name) == value), {})


def create(root: Root, resource: str, body: Any) -> str:
    """Return the command that makes something."""
    return root.kcadm("create", resource, "-b", shlex.quote(json.dumps(body)))


def set_realm(root: Root, name: str, value: Any) -> str:
    """Return the command that sets one field of the realm."""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"kcadm.sh update {shlex.quote(f'realms/{root.realm}')} -s {shlex.quote(f'{name}={text}')}"


def map_roles(root: Root, verb: str, holder: list[str], role: str) -> str:
    """Return the command that gives or takes a role: `add-roles` or `remove-roles`."""
    return " ".join(["kcadm.sh", verb, "-r", shlex.quote(root.realm), *holder, "--rolename", shlex.quote(role)])


def nothing(live: Any) -> Any:
    """Return the empty value of a kind."""
    return type(live)() if isinstance(live, bool | list | dict | str) else ""
