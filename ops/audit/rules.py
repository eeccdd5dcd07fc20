"""The rules of rules.yaml: which difference means what, how bad it is, and the sentence that says so."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ops.audit.difference import Difference, Kind
from ops.findings.model import Finding, Rule, severity_of

RULES = Path(__file__).with_name("rules.yaml")
_ANY = object()
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class AuditRule:
    """A row of rules.yaml.

    Args:
        rule: what is told.
        match: pattern of paths, as written.
        path: the same, compiled over the joined path.
        kind: the one kind of difference that is meant, or None.
        live: the one live value that is meant.
    """

    rule: Rule
    match: str
    path: re.Pattern[str]
    kind: Kind | None
    live: Any = _ANY

    def fits(self, difference: Difference) -> bool:
        """Return whether this row is about a difference."""
        return (
            (self.kind is None or self.kind is difference.kind)
            and (self.live is _ANY or self.live == difference.live)
            and self.path.fullmatch(_joined(difference.path)) is not None
        )


@cache
def load_rules() -> tuple[AuditRule, ...]:
    """Return the rows of rules.yaml in their order."""
    rows = yaml.safe_load(RULES.read_text(encoding="utf-8"))["rules"]
    return tuple(_rule(row) for row in rows)


def judge(difference: Difference) -> Finding:
    """Return the finding that the first fitting row makes of a difference; its `fix` is still general."""
    found = next(row for row in load_rules() if row.fits(difference))
    names = _names(difference)
    return found.rule.find(difference.address, **names) if names else found.rule.find(difference.address)


def _rule(row: dict[str, Any]) -> AuditRule:
    sentence = re.sub(r"\{(\d)\}", r"{p\1}", row["sentence"])  # {1} would be a positional argument
    rule = Rule(
        id=row["id"],
        severity=severity_of(row["severity"]),
        sentence=sentence,
        why=row["why"],
        fix="Run what `secure-mcp repair` prints.",
        reference=row["reference"],
        subject=row["match"].split("/")[0],
    )
    kind = Kind(row["kind"]) if "kind" in row else None
    return AuditRule(rule, row["match"], _compile(row["match"]), kind, row.get("live", _ANY))


_END = "\x1f"  # ends every part of a joined path: names hold slashes


def _joined(path: tuple[str, ...]) -> str:
    return "".join(part + _END for part in path)


def _compile(pattern: str) -> re.Pattern[str]:
    parts = []
    for part in pattern.split("/"):
        if part == "**":
            parts.append(f"(?:[^{_END}]*{_END})*")
            continue
        words = part[1:-1].split(",") if part.startswith("{") else [part]
        choice = "|".join(re.escape(word).replace(r"\*", f"[^{_END}]*") for word in words)
        parts.append(f"(?:{choice}){_END}")
    return re.compile("".join(parts), re.DOTALL)


def _names(difference: Difference) -> dict[str, str]:
    path = difference.path
    names = {f"p{number}": path[number] if number < len(path) else "" for number in range(8)}
    role = path[2:4] if path[:2] == ("roles", "client") else path[2:3]
    return names | {
        "path": ".".join(path),
        "rest": ".".join(part for part in path[3 if path[0] == "components" else 2 :] if part != "config") or "it",
        "last": path[-1],
        "role": "/".join(role),
        "mapped": " ".join(part for part in path[1:-1] if part != "roles"),
        "kind": str(difference.kind),
        "declared": _word(difference.declared, "nothing"),
        "live": _word(difference.live, "nothing"),
    }


def _word(value: Any, nothing: str) -> str:
    """Return a value as it stands in a sentence."""
    if value is None or value in ("", [], {}):
        return nothing
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        text = ", ".join(_word(item, nothing) for item in value)
    elif isinstance(value, dict):
        text = _entity(value)
    else:
        text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _entity(value: dict[str, Any]) -> str:
    """Return what matters most about something that was added whole."""
    if "clientId" in value:
        flows = {
            "standardFlowEnabled": "code flow",
            "implicitFlowEnabled": "implicit flow",
            "directAccessGrantsEnabled": "password grant",
            "serviceAccountsEnabled": "service account",
            "fullScopeAllowed": "full scope",
        }
        has = [text for field, text in flows.items() if value.get(field)]
        return f"{'public' if value.get('publicClient') else 'confidential'} with {', '.join(has) or 'no flow'}"
    if "protocolMapper" in value:
        config = value.get("config", {})
        claim = config.get("included.custom.audience") or config.get("included.client.audience")
        claim = f"audience {claim}" if claim else config.get("claim.name") or config.get("role") or ""
        return f"{value['protocolMapper']} {claim}".strip()
    if "providerId" in value:
        return str(value["providerId"])
    return ", ".join(f"{key} {_word(item, '-')}" for key, item in value.items() if item not in ({}, [], None, ""))
