"""The access contract: reads and checks `access.yaml`.

Run as a program it checks files: ``python -m service.contract access.yaml``.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from service.contract_relations import Fault, Location, lifetime_faults, registration_faults, scope_faults

CONTRACT_PATH = Path(__file__).resolve().parent.parent / "access.yaml"
SCHEMA_PATH = CONTRACT_PATH.with_name("access.schema.json")

MAX_DEPTH = 8  # deeper only by an alias that contains itself


class ContractError(Exception):
    """The contract is wrong; the text has a line ``file:line: what is wrong; what to write instead`` for each fault."""


@dataclass(frozen=True, slots=True)
class Scope:
    """An OAuth scope (RFC 6749 section 3.3) that a tool may ask for."""

    name: str
    description: str
    consent: str
    implies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client (RFC 6749 section 2)."""

    client_id: str
    kind: str
    name: str
    description: str
    redirect_uris: tuple[str, ...]
    redirect_paths: tuple[str, ...]
    default_scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...]
    consent: bool
    private_key_jwt: str = ""
    """Where its public key is (RFC 7523 section 2.2): URL of a JWKS, or a certificate; empty: it has a secret."""
    downstream_apis: tuple[str, ...] = ()
    """Client ids of the APIs that the service may exchange a caller's token for (RFC 8693)."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What `access.yaml` says, checked."""

    scopes: Mapping[str, Scope]
    clients: Mapping[str, Client]
    registration: Mapping[str, Any]
    lifetimes: Mapping[str, int]
    passwords: Mapping[str, Any]
    brute_force: Mapping[str, int]

    @property
    def downstream_apis(self) -> frozenset[str]:
        """Client ids of the APIs that tools may call on behalf of the caller."""
        return frozenset(name for client in self.clients.values() for name in client.downstream_apis)

    def expand(self, scopes: Iterable[str]) -> frozenset[str]:
        """Return the scopes with all that they imply, transitively (MCP authorization, scope hierarchies).

        Args:
            scopes: scope names; one that the contract does not know implies nothing and is kept.
        """
        found: set[str] = set()
        pending = list(scopes)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                if scope := self.scopes.get(name):
                    pending.extend(scope.implies)
        return frozenset(found)


def load_contract(path: Path = CONTRACT_PATH) -> Contract:
    """Read a contract and refuse it unless every rule holds.

    Args:
        path: the YAML file.

    Raises:
        ContractError: the file is missing, is no YAML or breaks a rule.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        data: dict[str, Any] = yaml.SafeLoader("").construct_document(root) if root else {}
    except OSError as error:
        raise ContractError(f"{path}: cannot be read: {error.strerror}; give the path of the contract") from error
    except UnicodeDecodeError as error:
        raise ContractError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "cannot be parsed"
        raise ContractError(f"{path.name}:{line}: is not YAML: {problem}; mend the indentation or quoting") from error
    lines: dict[Location, int] = {}
    faults: list[Fault] = []
    for location, node, problem, fix in _walk(root):
        lines[location] = node.start_mark.line + 1
        if problem:
            faults.append((location, problem, fix))
    faults = faults or [*_schema_faults(data)]
    faults = faults or [
        *scope_faults(data),
        *lifetime_faults(data["lifetimes"]),
        *registration_faults(data["registration"], data["lifetimes"]["events"]),
    ]
    if faults:
        found = sorted({(_line(lines, location), problem, fix) for location, problem, fix in faults})
        raise ContractError("\n".join(f"{path.name}:{line}: {problem}; {fix}" for line, problem, fix in found))
    return _build(data)


def _build(data: dict[str, Any]) -> Contract:
    def client(client_id: str, entry: dict[str, Any]) -> Client:
        lists = ("redirect_uris", "redirect_paths", "default_scopes", "optional_scopes", "downstream_apis")
        values: dict[str, Any] = {name: tuple(entry.get(name, ())) for name in lists}
        values |= {name: entry[name] for name in ("kind", "name", "description")}
        own = {"consent": entry.get("consent", False), "private_key_jwt": entry.get("private_key_jwt", "")}
        return Client(client_id=client_id, **own, **values)

    return Contract(
        scopes={
            name: Scope(name, entry["description"], entry["consent"], tuple(entry.get("implies", ())))
            for name, entry in data["scopes"].items()
        },
        clients={client_id: client(client_id, entry) for client_id, entry in data["clients"].items()},
        **{name: data[name] for name in ("registration", "lifetimes", "passwords", "brute_force")},
    )


def _walk(node: yaml.Node | None, location: Location = ()) -> Iterator[tuple[Location, yaml.Node, str, str]]:
    """Yield every key and item: where it stands, its node, and what YAML itself would let pass, with the remedy."""
    if len(location) > MAX_DEPTH:
        yield (
            location,
            yaml.ScalarNode("", "", node.start_mark if node else None),
            "nested too deep",
            "remove the alias",
        )
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            problem, fix = "", ""
            if name in seen:
                problem, fix = f"{name} stands twice", "keep one of them"
            elif key.tag != "tag:yaml.org,2002:str":
                problem, fix = f"the key {name} is no text", "put it in quotes or write another name"
            seen.add(name)
            yield (*location, name), key, problem, fix
            yield from _walk(value, (*location, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*location, index), value, "", ""
            yield from _walk(value, (*location, index))


def _line(lines: Mapping[Location, int], location: Location) -> int:
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def _schema_faults(data: object) -> Iterator[Fault]:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    for error in Draft202012Validator(schema).iter_errors(data):
        yield from _explain(error)


def _explain(error: ValidationError) -> Iterator[Fault]:
    """Turn a JSON Schema error into faults; `x-fix` beside the broken rule says what to write."""
    schema: Any = error.schema
    rule: Any = error.validator_value
    instance: Any = error.instance
    where: Location = tuple(error.absolute_path)
    name = next((part for part in reversed(where) if isinstance(part, str)), "the file")
    fix = schema.get("x-fix", "see access.schema.json")
    if error.validator == "additionalProperties":
        allowed = sorted(schema["properties"])
        for key in sorted(set(instance) - set(allowed), key=str):
            yield (*where, str(key)), f"unknown key {key!r}", f"write one of: {', '.join(allowed)}"
    elif error.validator == "required":
        missing = ", ".join(sorted(set(rule) - set(instance)))
        yield where, f"{name} lacks {missing}", f"add {missing}"
    elif "propertyNames" in error.absolute_schema_path:
        yield (*where, str(instance)), f"{instance!r} is no valid name", fix
    else:
        value = "" if isinstance(instance, dict | list) else f" {instance!r}"
        problems = {"type": "has the wrong type", "anyOf": "is incomplete", "not": "has no place here"}
        yield where, f"{name}{value} {problems.get(str(error.validator), 'is not allowed')}", fix


def main(paths: Sequence[str]) -> int:
    """Check each file, say what is wrong, and return an exit code: 0 in order, 2 refused."""
    code = 0
    for path in paths or [str(CONTRACT_PATH)]:
        try:
            load_contract(Path(path))
        except ContractError as error:
            print(error, file=sys.stderr)
            code = 2
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
