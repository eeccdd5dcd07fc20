"""The generated tables of docs/audit.md: the rules, kcwarden's exclusions, the tamperings that are found."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ops.audit.kcwarden import load_exclusions
from ops.audit.rules import load_rules

TAMPERINGS = Path(__file__).resolve().parent.parent / "tests" / "realm" / "tamperings.yaml"
Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]


def audit_rules() -> Rows:
    """Return columns and rows of the rules, in the order in which they are tried."""
    rows = [(f"`{row.rule.id}`", row.rule.severity.word, row.rule.why, row.rule.reference) for row in load_rules()]
    return ("rule", "severity", "why it matters", "reference"), rows


def audit_exclusions() -> Rows:
    """Return columns and rows of what of kcwarden does not count."""
    rows = [(f"`{row.auditor}`", f"`{row.entity}`", row.reason) for row in load_exclusions()]
    return ("kcwarden's rule", "for", "reason"), rows


def audit_tamperings() -> Rows:
    """Return columns and rows of the tamperings that the tests make."""
    entries: Iterable[dict[str, Any]] = yaml.safe_load(TAMPERINGS.read_text(encoding="utf-8"))["tamperings"]
    rows = [(str(number), f"`{row['id']}`", row["plan"], f"`{row['rule']}`") for number, row in enumerate(entries, 1)]
    return ("", "what somebody did by hand", "`terraform plan`", "rule that names it"), rows
