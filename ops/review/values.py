"""Durations, addresses and lists as providers write them."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

_PART = re.compile(r"(\d+)(h|m|s)")
_UNITS = {"h": 3600, "m": 60, "s": 1}


def seconds(value: object) -> int | None:
    """Return a duration in seconds, written as 300, `300s` or `1h5m0s`; None where it says nothing (0, -1)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if value > 0 else None
    if not isinstance(value, str):
        return None
    if value.isdigit():
        return int(value) or None
    parts = _PART.findall(value)
    return sum(int(number) * _UNITS[unit] for number, unit in parts) or None


def spoken(number: int | None) -> str:
    """Return a number of seconds in the largest unit that divides it."""
    if number is None:
        return "not set"
    for unit, size in (("day", 86400), ("h", 3600), ("min", 60)):
        if number >= size and number % size == 0:
            count = number // size
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{number} s"


def listed(words: Iterable[str], most: int = 4) -> str:
    """Return words as people write them, the first few of them."""
    known = list(words)
    shown = ", ".join(known[:most])
    return f"{shown} and {len(known) - most} more" if len(known) > most else shown


def host_of(uri: str) -> str:
    """Return the host that a URI names, the URI itself where it names none."""
    try:
        return urlsplit(uri).hostname or uri
    except ValueError:
        return uri


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI in lower case, empty where there is none."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", uri)
    return found[1].lower() if found else ""


def is_loopback(host: str) -> bool:
    """Return whether a host is the machine itself (RFC 8252 section 7.3)."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_plain(uri: str) -> bool:
    """Return whether a URI is http (or ldap) to another machine: anybody between can read and change it."""
    return scheme_of(uri) in ("http", "ldap") and not is_loopback(host_of(uri))
