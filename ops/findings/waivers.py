"""Waivers: a file of decisions to live with a finding, each with an owner, a reason and a last day.

waivers:
  - rule: port-all-interfaces
    address: module.edge[0].docker_container.this
    owner: platform team
    reason: the edge serves the internet on 443
    expires: 2027-03-31
"""

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from ops.errors import OperatorError
from ops.findings.model import Finding, Rule, Severity, Waiver
from ops.output import short

_KEYS = ("rule", "address", "owner", "reason", "expires")

EXPIRED = Rule(
    id="waiver-expired",
    severity=Severity.HIGH,
    sentence="the waiver of {rule} for {address} by {owner} ended on {expires}",
    why="A waiver is a decision for a time. What was acceptable then has to be decided again.",
    fix="Mend what the waiver covers, or let its owner decide anew and write a new date.",
    reference="docs/review.md",
    subject="waivers",
)
UNUSED = Rule(
    id="waiver-unused",
    severity=Severity.LOW,
    sentence="the waiver of {rule} for {address} by {owner} covers nothing",
    why="A waiver that covers nothing now hides what comes later.",
    fix="Delete it from the file.",
    reference="docs/review.md",
    subject="waivers",
)


def load_waivers(path: Path, known: Iterable[str]) -> list[Waiver]:
    """Read a file of waivers.

    Args:
        path: the file.
        known: ids of the rules there are.

    Raises:
        OperatorError: the file cannot be read, or an entry is incomplete or names no rule (exit code 2).
    """
    name = short(path)
    remedy = f"Write a list `waivers`, each entry with {', '.join(_KEYS)}; see docs/review.md."
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise OperatorError(f"The waivers in {name} cannot be read: {reason}.", remedy) from error
    entries = content.get("waivers") if isinstance(content, dict) else None
    if not isinstance(entries, list) or len(content) != 1:
        raise OperatorError(f"{name} is no file of waivers.", remedy)
    rules = frozenset(known)
    return [_waiver(entry, f"Waiver {number} in {name}", remedy, rules) for number, entry in enumerate(entries, 1)]


def apply_waivers(
    findings: Iterable[Finding], waivers: Iterable[Waiver], today: date
) -> tuple[list[Finding], list[tuple[Finding, Waiver]]]:
    """Split findings into what counts and what is waived; an expired waiver is a finding and waives nothing.

    Args:
        findings: what was found.
        waivers: the decisions.
        today: the day by which they are judged.

    Returns:
        The findings that count, and the waived ones each with its waiver.
    """
    kept = list(findings)
    waived: list[tuple[Finding, Waiver]] = []
    about_waivers: list[Finding] = []
    for waiver in waivers:
        rule = EXPIRED if waiver.expires < today else UNUSED
        covered = [found for found in kept if covers(waiver, found)]
        if rule is EXPIRED or not covered:
            names = {"rule": waiver.rule, "owner": waiver.owner, "expires": waiver.expires.isoformat()}
            about_waivers.append(rule.find(waiver.address, **names, address=waiver.address))
        if rule is not EXPIRED:
            waived += [(found, waiver) for found in covered]
            kept = [found for found in kept if found not in covered]
    return kept + about_waivers, waived


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Return whether a waiver is about a finding. Brackets are part of a Terraform address and no pattern."""
    pattern = waiver.address.replace("[", "[[]")
    return waiver.rule == finding.id and fnmatchcase(finding.address, pattern)


def _waiver(entry: object, place: str, remedy: str, known: frozenset[str]) -> Waiver:
    if not isinstance(entry, dict) or set(entry) != set(_KEYS):
        raise OperatorError(f"{place} has not exactly the keys {', '.join(_KEYS)}.", remedy)
    if entry["rule"] not in known:
        raise OperatorError(f"{place} names the rule `{entry['rule']}`, which is none.", "`--explain list` names them.")
    if type(entry["expires"]) is not date:
        raise OperatorError(f"{place} has no date in `expires`.", "Write it as 2027-03-31.")
    texts = {key: entry[key] for key in ("rule", "address", "owner", "reason")}
    if not all(isinstance(text, str) and text.strip() for text in texts.values()):
        raise OperatorError(f"{place} has an empty key or one that is no text.", remedy)
    return Waiver(**texts, expires=entry["expires"])
