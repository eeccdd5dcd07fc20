"""Reads cases.yaml: which cases there are, with which algorithm and by which entrance each runs."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.security.draft import World
from tests.security.keyring import ALGORITHMS
from tests.security.steps import make
from tests.security.wire import call_echo, request

CASES = Path(__file__).with_name("cases.yaml")
ROWS = 112
ENTRANCES = ("mcp", "rest")
SAID = ("present", "query", "target", "body", "type", "host", "method", "replace")
GOOD = ("Authorization: Bearer {t}",)

# Texts too long to write down.
_BULK: Mapping[str, Any] = {
    "roles120": [f"role-with-a-rather-long-name-{n:02}" for n in range(120)],
    "roles200": [f"role-with-a-rather-long-name-{n:02}" for n in range(200)],
    "groups1000": [f"/group/{n}" for n in range(1000)],
}


@dataclass(frozen=True)
class Case:
    """One request of the table."""

    id: str
    row: int
    algorithm: str
    entrance: str
    expect: tuple[str, ...]
    entry: Mapping[str, Any]
    values: Mapping[str, Any]

    def token(self, world: World) -> str:
        """Make the token."""
        return make(self.algorithm, _fill(self.entry.get("make", []), self.values), world)

    def request(self, world: World, token: str) -> bytes:
        """Return the bytes of the request that presents the token."""
        target, headers, body = call_echo(self.entrance)
        said = {name: _fill(self.entry.get(name), self.values) for name in SAID}
        if said["type"]:
            headers[0] = f"Content-Type: {said['type']}".encode()
        if line := said["replace"]:
            headers = [old for old in headers if old.split(b":")[0].lower() != line.encode().split(b":")[0].lower()]
            headers.append(line.encode())
        lines = GOOD if said["present"] is None else said["present"]
        headers += [_bytes(world.fill(line, {"t": token})) for line in lines]
        target = said["target"] or target
        if said["query"]:
            target += "?" + said["query"].replace("{t}", token)
        if said["body"]:
            body = said["body"].replace("{t}", token).encode()
        method = said["method"] or "POST"
        if method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            body = b""
        host = said["host"] or world.origin.removeprefix("http://")
        return request(method, target, headers, body, host=host)

    @property
    def method(self) -> str:
        """The HTTP method, which says how to read the answer."""
        return str(_fill(self.entry.get("method"), self.values) or "POST")


def _bytes(line: str) -> bytes:
    """Characters up to 255 are bytes, so that any byte can be written; others go out as UTF-8."""
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogatepass")


def _fill(value: Any, values: Mapping[str, Any]) -> Any:
    """Fill the holes of `each`, and the long texts."""
    if isinstance(value, dict):
        return {_fill(name, values): _fill(entry, values) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(entry, values) for entry in value]
    if not isinstance(value, str):
        return value
    if value[1:-1] in values and value == f"{{{value[1:-1]}}}":
        return _fill(values[value[1:-1]], {}) if isinstance(values[value[1:-1]], str) else values[value[1:-1]]
    for name, text in values.items():
        if isinstance(text, str | int | float):
            value = value.replace(f"{{{name}}}", str(text))
    value = re.sub(r"\$digits(\d+)", lambda match: "1" * int(match[1]), value)
    value = re.sub(r"\$deep(\d+)", lambda match: f'"x":{"[" * int(match[1])}{"]" * int(match[1])}', value)
    return value.replace("$bulk", "A" * 7000)


@cache
def entries() -> list[dict[str, Any]]:
    """Return the entries of cases.yaml."""
    read: list[dict[str, Any]] = yaml.safe_load(CASES.read_text(encoding="utf-8"))["cases"]
    return read


def row_of(entry: Mapping[str, Any]) -> int:
    """Return the row of the table that an entry belongs to."""
    return int(re.match(r"\d+", str(entry["id"]))[0])  # type: ignore[index]


def cases() -> Iterator[Case]:
    """Yield every request that can be made now."""
    for entry in entries():
        if "expect" not in entry:
            continue
        lists = {**entry.get("each", {})}
        for number, combination in enumerate(itertools.product(*lists.values()), start=1):
            values = dict(zip(lists, combination, strict=True))
            algorithms, entrances = entry.get("algs", ALGORITHMS), entry.get("entrances", ENTRANCES)
            for algorithm, entrance in itertools.product(algorithms, entrances):
                if values.get(entry.get("skip_own", "")) == algorithm:
                    continue
                yield Case(
                    id=f"{entry['id']}{f'.{number}' if lists else ''}-{algorithm}-{entrance}",
                    row=row_of(entry),
                    algorithm=algorithm,
                    entrance=entrance,
                    expect=tuple(str(entry["expect"]).split("|")),
                    entry=entry,
                    values={**values, **_BULK},
                )
