"""Two realms compared: what was added, removed or changed, each with the path of names that leads to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# What names an entry of a list, in order of preference.
_NAMES = ("clientId", "username", "alias", "name", "executor", "condition", "path", "providerId")
# Lists whose order means something are one value each.
_WHOLE = {"authenticationExecutions", "executors", "conditions"}
# Lists of named things, for when they are empty: what was added to them is one difference.
_THINGS = {"clients", "clientScopes", "protocolMappers", "policies", "users", "groups", "subGroups"}
_THINGS |= {"identityProviders", "identityProviderMappers", "requiredActions", "scopeMappings", "authenticationFlows"}
_JOINED = {"post.logout.redirect.uris"}
# Told as one, for nobody wants to hear of each part.
_WHOLES = {("smtpServer",)}
_JOINT = "##"  # between the values of an attribute that holds several


class Kind(StrEnum):
    """What happened to a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between what is declared and what is live.

    Args:
        path: names from the top, such as ("clients", "mcp-cli", "redirectUris"); a value of a list is the last of them.
        kind: what happened.
        declared: the declared value; None where it was added.
        live: the live value; None where it was removed.
    """

    path: tuple[str, ...]
    kind: Kind
    declared: Any
    live: Any

    @property
    def address(self) -> str:
        """The path as one text, such as `clients/mcp-cli/redirectUris/https://…`."""
        return "/".join(self.path)


def differences(declared: Mapping[str, Any], live: Mapping[str, Any]) -> list[Difference]:
    """Return how two realms differ, both as `normalise` returns them."""
    return list(_compare(_indexed(declared, ""), _indexed(live, ""), ()))


class _Entries(dict[str, Any]):
    """A list of named things: one that is missing or added is one difference, whatever it holds."""


def _compare(declared: Any, live: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    if declared == live or (declared in (None, "") and live in (None, "")):
        return
    declared, live = _settle(declared, live), _settle(live, declared)
    if isinstance(declared, frozenset | None) and isinstance(live, frozenset | None):
        yield from _compare_sets(declared or frozenset(), live or frozenset(), path)
    elif isinstance(declared, _Entries | None) and isinstance(live, _Entries | None):
        for name in sorted({**(declared or {}), **(live or {})}):
            yield from _compare_entries(_entry(declared, name), _entry(live, name), (*path, name))
    elif isinstance(declared, dict | None) and isinstance(live, dict | None) and path[-1:] not in _WHOLES:
        for key in sorted({**(declared or {}), **(live or {})}):
            yield from _compare(_entry(declared, key), _entry(live, key), (*path, key))
    else:
        kind = Kind.ADDED if declared is None else Kind.REMOVED if live is None else Kind.CHANGED
        yield Difference(path, kind, _plain(declared), _plain(live))


def _entry(value: dict[str, Any] | None, name: str) -> Any:
    return value.get(name) if value else None


def _settle(value: Any, other: Any) -> Any:
    """An empty list does not tell what it is a list of: it is of the kind that the other side is."""
    empty = isinstance(value, frozenset | dict) and not value
    return type(other)() if empty and isinstance(other, frozenset | dict) else value


def _compare_entries(declared: Any, live: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    if declared is None:
        yield Difference(path, Kind.ADDED, None, _plain(live))
    elif live is None:
        yield Difference(path, Kind.REMOVED, _plain(declared), None)
    else:
        yield from _compare(declared, live, path)


def _compare_sets(declared: frozenset[str], live: frozenset[str], path: tuple[str, ...]) -> Iterator[Difference]:
    gone, new = sorted(declared - live), sorted(live - declared)
    if "config" in path and len(gone) == len(new) == 1:  # Keycloak keeps each value of a component as a list
        yield Difference(path, Kind.CHANGED, gone[0], new[0])
        return
    yield from (Difference((*path, value), Kind.REMOVED, value, None) for value in gone)
    yield from (Difference((*path, value), Kind.ADDED, None, value) for value in new)


def _indexed(value: Any, field: str) -> Any:
    """Return a representation with its lists as maps by name, as sets, or, where order counts, as they are."""
    if isinstance(value, Mapping):
        return {key: _indexed(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return _indexed_list(value, field)
    if isinstance(value, str) and field in _JOINED:
        return frozenset(part for part in value.split(_JOINT) if part)
    return value


def _indexed_list(value: list[Any], field: str) -> Any:
    things = [item for item in value if isinstance(item, Mapping)]
    if not value:
        return _Entries() if field in _THINGS else frozenset()
    if not things:
        return frozenset(map(str, value))
    if field in _WHOLE:
        return value
    entries = _Entries()
    for item in things:
        name = _name(item) or "?"
        while name in entries:
            name += "'"
        entries[name] = _indexed(item, "")
    return entries


def _name(item: Any) -> str:
    if not isinstance(item, Mapping):
        return ""
    if "subType" in item:  # a policy of client registration: the same name stands once for each kind of registration
        return f"{item['subType']}/{item['providerId']}/{item.get('name', '')}"
    for kind in ("client", "clientScope"):  # a mapping of roles
        if kind in item and "roles" in item:
            return f"{kind} {item[kind]}"
    return next((str(item[key]) for key in _NAMES if item.get(key)), "")


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value
