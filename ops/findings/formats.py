"""A report as text, Markdown, JSON, SARIF or JUnit."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from ops.findings.junit import junit
from ops.findings.markdown import markdown
from ops.findings.model import Finding, Report
from ops.findings.sarif import sarif
from ops.findings.text import text


class Format(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


def render(report: Report, form: Format) -> str:
    """Return a report in a format, with a line break at its end."""
    return _FORMATS[form](report).rstrip("\n") + "\n"


def as_json(report: Report) -> str:
    """Return a report as JSON: target, threshold, exit code, findings, waived, notes."""
    content = {
        "tool": report.tool,
        "target": report.target,
        "threshold": report.threshold.word,
        "exit_code": int(report.exit_code),
        "findings": [_finding(finding) for finding in report.worst_first],
        "waived": [
            _finding(finding)
            | {"waiver": {"owner": waiver.owner, "reason": waiver.reason, "expires": waiver.expires.isoformat()}}
            for finding, waiver in report.waived
        ],
        "notes": list(report.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.id,
        "severity": finding.severity.word,
        "sentence": finding.sentence,
        "why": finding.why,
        "fix": finding.fix,
        "reference": finding.reference,
        "address": finding.address,
    }


_FORMATS: dict[Format, Callable[[Report], str]] = {
    Format.TEXT: text,
    Format.MARKDOWN: markdown,
    Format.JSON: as_json,
    Format.SARIF: sarif,
    Format.JUNIT: junit,
}
