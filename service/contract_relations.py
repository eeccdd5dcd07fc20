"""What the values of the access contract have to do with each other: the rules that JSON Schema has no word for."""

from collections.abc import Iterator, Mapping
from typing import Any

Location = tuple[str | int, ...]
Fault = tuple[Location, str, str]
"""Where a fault stands, what is wrong, and what to write instead."""


def scope_faults(data: dict[str, Any]) -> Iterator[Fault]:
    """Scopes that do not exist, stand twice, or imply each other.

    Args:
        data: a contract of the right shape.
    """
    scopes: dict[str, Any] = data["scopes"]
    known = ", ".join(scopes)
    lists = [(("scopes", name, "implies"), entry.get("implies", ())) for name, entry in scopes.items()]
    for client_id, entry in data["clients"].items():
        fields = ("default_scopes", "optional_scopes")
        lists.extend((("clients", client_id, field), entry.get(field, ())) for field in fields)
        for index, name in enumerate(entry.get("optional_scopes", ())):
            if name in entry.get("default_scopes", ()):
                where = ("clients", client_id, "optional_scopes", index)
                yield where, f"scope {name} is both default and optional", "keep it in one of the two lists"
    for location, names in lists:
        for index, name in enumerate(names):
            if name not in scopes:
                yield (*location, index), f"scope {name} does not exist", f"write one of: {known}"
    for name in scopes:
        if chain := _cycle(scopes, name):
            yield ("scopes", name, "implies"), f"scopes imply each other: {' > '.join(chain)}", "remove one `implies`"


def _cycle(scopes: Mapping[str, Any], start: str) -> list[str] | None:
    pending: list[list[str]] = [[start]]
    while pending:
        chain = pending.pop()
        for name in scopes.get(chain[-1], {}).get("implies", ()):
            if name == start:
                return [*chain, name]
            if name not in chain:
                pending.append([*chain, name])
    return None


def lifetime_faults(lifetimes: Mapping[str, int]) -> Iterator[Fault]:
    """Limits that are shorter than what they limit.

    Args:
        lifetimes: the section, in seconds.
    """
    for longer, shorter in (("session_max", "session_idle"), ("offline_max", "offline_idle")):
        if lifetimes[longer] < lifetimes[shorter]:
            fix = f"write {lifetimes[shorter]} or more, or lower {shorter}"
            yield ("lifetimes", longer), f"{longer} {lifetimes[longer]} is less than {shorter}", fix


def registration_faults(registration: Mapping[str, Any], events: int) -> Iterator[Fault]:
    """Registration that is open for nobody, or open in two ways: Keycloak 26.7.4 cannot check the URIs of both.

    Args:
        registration: the section.
        events: for how many seconds the realm keeps events, by which the use of a client is known.
    """
    if registration["unused_days"] * 86400 > events:
        what = f"unused_days {registration['unused_days']} is longer than events are kept"
        yield ("registration", "unused_days"), what, f"write {events // 86400} or less, or raise lifetimes.events"
    for way, hosts in (("anonymous", "trusted_hosts"), ("metadata_documents", "metadata_hosts")):
        if registration[way] == "trusted_hosts" and not registration[hosts]:
            fix = f"name the hosts, or write {way}: closed"
            yield ("registration", hosts), f"{way} is open and {hosts} is empty", fix
    if registration["anonymous"] != "closed" and registration["metadata_documents"] != "closed":
        what = "anonymous and metadata_documents are both open"
        yield ("registration", "metadata_documents"), what, "write closed for one of them"
