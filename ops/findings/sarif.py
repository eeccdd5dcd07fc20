"""A report as SARIF 2.1.0 (OASIS), for code scanning."""

import json
from typing import Any
from urllib.parse import quote

from ops.findings.model import Finding, Report, Severity, Waiver
from service import __version__

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Level of the standard (section 3.27.10), and the number that code scanning sorts by.
_LEVELS = {
    Severity.INFO: ("note", "0.0"),
    Severity.LOW: ("note", "3.0"),
    Severity.MEDIUM: ("warning", "5.5"),
    Severity.HIGH: ("error", "8.0"),
    Severity.CRITICAL: ("error", "9.5"),
}


def sarif(report: Report) -> str:
    """Return a report as SARIF; a waived finding is a suppressed result (section 3.35)."""
    rules = sorted(report.rules.values(), key=lambda rule: rule.id)
    places = {rule.id: number for number, rule in enumerate(rules)}
    results = [_result(finding, places, report.target) for finding in report.worst_first]
    results += [_result(finding, places, report.target, waiver) for finding, waiver in report.waived]
    driver = {
        "name": report.tool,
        "version": __version__,
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.why},
                "fullDescription": {"text": f"{rule.why} {rule.fix}"},
                "help": {"text": f"{rule.fix} Reference: {rule.reference}"},
                "defaultConfiguration": {"level": _LEVELS[rule.severity][0]},
                "properties": {"security-severity": _LEVELS[rule.severity][1], "tags": ["security", rule.subject]},
            }
            for rule in rules
        ],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _result(finding: Finding, places: dict[str, int], target: str, waiver: Waiver | None = None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "level": _LEVELS[finding.severity][0],
        "message": {"text": f"{finding.sentence}. {finding.fix}"},
        "locations": [
            {
                # A finding has no line: it is about a resource of the plan, or about something live.
                "physicalLocation": {"artifactLocation": {"uri": _uri(target)}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": finding.address, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"ruleAndAddress/v1": f"{finding.id}:{finding.address}"},
    }
    if finding.id in places:
        result["ruleIndex"] = places[finding.id]
    if waiver:
        reason = f"{waiver.owner} until {waiver.expires}: {waiver.reason}"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return result


def _uri(target: str) -> str:
    return quote(target, safe="/:?=&#%@+~.-_")
