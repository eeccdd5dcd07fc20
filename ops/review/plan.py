"""A plan as `terraform show -json` or `tofu show -json` writes it (format_version 1.x), read for review."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ops.errors import OperatorError
from ops.review.names import Names

MAXIMUM_BYTES = 256 * 1024 * 1024
_REMEDY = "Give the output of: terraform show -json FILE.tfplan"
_INDEX = re.compile(r"\[(?:\"[^\"]*\"|\d+)\]")


@dataclass(frozen=True)
class Change:
    """What the plan does to one resource.

    Args:
        address: address of the resource.
        type: its type, such as `keycloak_openid_client`.
        name: its name in the configuration.
        index: its key or number, None without `for_each` and `count`.
        module: address of its module, empty for the root.
        actions: as Terraform says them: no-op, create, read, update, delete, forget; two for a replacement.
        before: its values before; empty where it does not exist.
        after: its values after; empty where it is destroyed. What is not known yet is not in it.
        unknown: what of `after` is known only after the apply.
        sensitive: what of `after` is marked as sensitive.
        expressions: how it is written in the configuration; empty where that is not known.
    """

    address: str
    type: str
    name: str
    index: str | int | None
    module: str
    actions: tuple[str, ...]
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)
    sensitive: Mapping[str, Any] = field(default_factory=dict)
    expressions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def existed(self) -> bool:
        """Whether there is something before."""
        return bool(self.before)

    @property
    def remains(self) -> bool:
        """Whether there is something after, new or changed."""
        return bool({"create", "update"} & set(self.actions))

    @property
    def ends(self) -> bool:
        """Whether what was there is destroyed or replaced."""
        return "delete" in self.actions

    def on(self, name: str) -> bool:
        """Return whether the change switches an attribute on that was not on before."""
        return self.after.get(name) is True and self.before.get(name) is not True

    def off(self, name: str) -> bool:
        """Return whether the change switches an attribute off, or creates the resource with it off."""
        return self.after.get(name) is False and self.before.get(name) is not False

    def lost(self, name: str) -> bool:
        """Return whether the change takes a value away that was there before."""
        return self.existed and bool(self.before.get(name)) and not self.after.get(name) and not self.is_unknown(name)

    def changed(self, name: str) -> bool:
        """Return whether something that existed gets another value, known or not."""
        return self.existed and not self.is_unknown(name) and self.before.get(name) != self.after.get(name)

    def is_unknown(self, name: str) -> bool:
        """Return whether the value is written somewhere but known only after the apply."""
        return self.unknown.get(name) is True and (not self.expressions or name in self.expressions)

    def added(self, name: str) -> list[str]:
        """Return the members that a list gets and did not have."""
        return [value for value in texts(self.after.get(name)) if value not in texts(self.before.get(name))]

    def removed(self, name: str) -> list[str]:
        """Return the members that a list loses."""
        if not self.existed or self.is_unknown(name):
            return []
        return [value for value in texts(self.before.get(name)) if value not in texts(self.after.get(name))]

    def as_created(self) -> "Change":
        """Return the same resource as if the plan created it: for judging what a plan leaves as it is."""
        return replace(self, actions=("create",), before={})


@dataclass(frozen=True)
class Plan:
    """A plan.

    Args:
        changes: what it does, every resource of it.
        read: data sources by address, with the values that are known.
        content: all of it as it was read.
    """

    changes: tuple[Change, ...]
    read: Mapping[str, Mapping[str, Any]]
    content: Mapping[str, Any]

    @cached_property
    def names(self) -> Names:
        """What the things are called that ids and references stand for."""
        return Names(self.changes, self.read)

    @cached_property
    def new_realms(self) -> frozenset[str]:
        """Names of the realms that the plan creates."""
        made = (change for change in self.changes if change.type == "keycloak_realm" and change.actions == ("create",))
        return frozenset(str(change.after.get("realm")) for change in made)

    def everything(self) -> "Plan":
        """Return the plan as if it made now also what it leaves as it is."""
        made = (change.as_created() if change.actions == ("no-op",) else change for change in self.changes)
        return replace(self, changes=tuple(made))

    @cached_property
    def _new(self) -> frozenset[str]:
        created = (change for change in self.changes if change.actions == ("create",))
        return frozenset(str(change.after["id"]) for change in created if change.after.get("id"))

    def exists(self, identifier: object) -> bool:
        """Return whether the thing with an id is there before the plan; without an id it is not."""
        return isinstance(identifier, str) and identifier not in self._new

    def in_existing_realm(self, change: Change) -> bool:
        """Return whether a resource belongs to a realm that is there before the plan."""
        realm = change.after.get("realm_id") or change.after.get("realm") or change.before.get("realm_id")
        if isinstance(realm, str):
            return realm not in self.new_realms
        return not self.new_realms

    def of(self, *types: str) -> Iterator[Change]:
        """Yield the changes of resources of some types."""
        return (change for change in self.changes if change.type in types)


def texts(value: object) -> list[str]:
    """Return the texts of a list, a set or nothing."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def blocks(value: object) -> list[Mapping[str, Any]]:
    """Return the blocks of a repeated or a single block."""
    if isinstance(value, Mapping):
        return [value]
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def read_plan(data: bytes, source: str) -> Plan:
    """Read a plan.

    Args:
        data: the JSON.
        source: what to call it in errors.

    Raises:
        OperatorError: it is no plan that can be read (exit code 2).
    """
    content = _content(data, source)
    configured = dict(_configured(_mapping(_mapping(content.get("configuration")).get("root_module")), ""))
    try:
        entries = content.get("resource_changes") or []
        changes = [_change(entry, configured) for entry in entries if entry.get("mode", "managed") == "managed"]
        prior = _mapping(_mapping(content.get("prior_state")).get("values")).get("root_module")
        read = dict(_data_sources(_mapping(prior)))
        read |= {
            entry["address"]: _mapping(entry["change"].get("after")) for entry in entries if entry.get("mode") == "data"
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise OperatorError(f"{source} has a resource change of an unknown shape ({error!r}).", _REMEDY) from error
    return Plan(tuple(changes), read, content)


def _content(data: bytes, source: str) -> Mapping[str, Any]:
    if len(data) > MAXIMUM_BYTES:
        raise OperatorError(f"{source} is larger than {MAXIMUM_BYTES // 2**20} MiB.", _REMEDY)
    if data[:2] == b"PK":
        raise OperatorError(
            f"{source} is a saved plan, not its JSON.", f"Run: terraform show -json {source} > plan.json"
        )
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise OperatorError(f"{source} is no JSON: {str(error)[:120]}.", _REMEDY) from error
    if not isinstance(content, dict) or "format_version" not in content:
        raise OperatorError(f"{source} is JSON, but not of `terraform show`.", _REMEDY)
    if not str(content["format_version"]).startswith("1."):
        raise OperatorError(
            f"{source} has format_version {content['format_version']}.", "Use Terraform 1.x or OpenTofu 1.x."
        )
    if "planned_values" not in content and "resource_changes" not in content:
        raise OperatorError(f"{source} is a state, not a plan.", _REMEDY)
    return content


def _change(entry: Mapping[str, Any], configured: Mapping[str, Mapping[str, Any]]) -> Change:
    change = entry["change"]
    module = entry.get("module_address") or ""
    address = f"{module}.{entry['type']}.{entry['name']}" if module else f"{entry['type']}.{entry['name']}"
    return Change(
        address=entry["address"],
        type=entry["type"],
        name=entry["name"],
        index=entry.get("index"),
        module=module,
        actions=tuple(change["actions"]),
        before=_mapping(change.get("before")),
        after=_mapping(change.get("after")),
        unknown=_mapping(change.get("after_unknown")),
        sensitive=_mapping(change.get("after_sensitive")),
        expressions=configured.get(_INDEX.sub("", address), {}),
    )


def _configured(module: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the address without indexes and the expressions of each resource of a configuration."""
    for entry in module.get("resources") or []:
        yield f"{prefix}{entry['address']}", _mapping(entry.get("expressions"))
    for name, call in _mapping(module.get("module_calls")).items():
        yield from _configured(_mapping(call.get("module")), f"{prefix}module.{name}.")


def _data_sources(module: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for entry in module.get("resources") or []:
        if entry.get("mode") == "data":
            yield entry["address"], _mapping(entry.get("values"))
    for child in module.get("child_modules") or []:
        yield from _data_sources(child)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
