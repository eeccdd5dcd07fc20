"""The rules: data in the files rules/*.yaml, one file a subject. The functions that look for them stand in checks/."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ops.findings.model import Rule, severity_of
from ops.review.plan import Change, Plan

FOLDER = Path(__file__).parent / "rules"

Hit = tuple[str, Mapping[str, object]]
Check = Callable[[Change, Plan], Iterator[Hit]]

CHECKS: list[tuple[frozenset[str], Check]] = []


@cache
def load_rules() -> Mapping[str, Rule]:
    """Return every rule by id, in the order of the files."""
    rules: dict[str, Rule] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        entries: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, entry in entries.items():
            if name in rules:
                raise ValueError(f"{file.name}: {name} is there twice")
            severity = severity_of(entry.pop("severity"))
            rules[name] = Rule(id=name, severity=severity, subject=file.stem, **entry)
    return rules


def about(*types: str) -> Callable[[Check], Check]:
    """Register a function that looks at the changes of resources of some types.

    It gets a change with something after it or something that ends, and the plan, and yields `hit(...)`.
    """

    def register(check: Check) -> Check:
        CHECKS.append((frozenset(types), check))
        return check

    return register


def hit(rule: str, /, **names: object) -> Hit:
    """Return what a check found: the id of the rule, and what its sentence names."""
    return rule, names
