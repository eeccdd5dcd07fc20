"""A report as Markdown, for the comment of a pull request."""

from ops.findings.model import Finding, Report
from ops.findings.text import summary


def markdown(report: Report) -> str:
    """Return a report as Markdown, worst first."""
    lines = [f"### {report.tool}: {escaped(summary(report))}", ""]
    if report.failing:
        lines += ["| severity | what it means | where |", "| --- | --- | --- |"]
        lines += [_row(finding) for finding in report.failing]
        lines += ["", "<details><summary>Why it matters, and what to do</summary>", ""]
        for rule in dict.fromkeys(
            (finding.id, finding.why, finding.fix, finding.reference) for finding in report.failing
        ):
            name, why, fix, reference = map(escaped, rule)
            lines.append(f"- **{name}**: {why} *Fix:* {fix} ({reference})")
        lines += ["", "</details>", ""]
    if report.remarks:
        lines += [f"<details><summary>{len(report.remarks)} below {report.threshold.word}</summary>", ""]
        lines += [
            f"- {finding.severity.word}: {escaped(finding.sentence)} ({finding.id})" for finding in report.remarks
        ]
        lines += ["", "</details>", ""]
    if report.waived:
        lines += ["Waived:", ""]
        lines += [
            f"- {escaped(finding.sentence)} ({finding.id}), "
            f"{escaped(waiver.owner)} until {waiver.expires}: {escaped(waiver.reason)}"
            for finding, waiver in report.waived
        ]
        lines.append("")
    lines += [escaped(note) + "\n" for note in report.notes]
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: somebody else's text must not become markup or a mention."""
    for character in "\\`*_[]<>|#~":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.replace("@", "@\u200b").replace("&", "&amp;").split())


def _row(finding: Finding) -> str:
    return f"| **{finding.severity.word}** | {escaped(finding.sentence)} | {escaped(finding.address)} |"
