"""A report for a person at a terminal."""

from textwrap import wrap

from ops.findings.model import Report

_WIDTH = 110


def text(report: Report) -> str:
    """Return a report as plain text, worst first."""
    lines: list[str] = []
    for finding in report.failing:
        lines += [
            _block(finding.severity.word.upper(), f"{finding.sentence}.", 10),
            _block("          why", finding.why, 15),
            _block("          fix", finding.fix, 15),
            f"          {finding.id} · {finding.address} · {finding.reference}",
            "",
        ]
    lines += [_block(finding.severity.word, f"{finding.sentence}. ({finding.id})", 10) for finding in report.remarks]
    lines += [
        _block(
            "waived", f"{finding.sentence}. ({finding.id}, {waiver.owner} until {waiver.expires}: {waiver.reason})", 10
        )
        for finding, waiver in report.waived
    ]
    if report.remarks or report.waived:
        lines.append("")
    lines.append(f"{report.target}: {summary(report)}")
    if report.notes:
        lines += ["", *(_block("", note, 0) for note in report.notes)]
    return "\n".join(lines)


def summary(report: Report) -> str:
    """Return the sentence that says how it ended."""
    counts = ((len(report.remarks), f"below {report.threshold.word}"), (len(report.waived), "waived"))
    extra = [f"{number} {name}" for number, name in counts if number]
    rest = f" ({', '.join(extra)})" if extra else ""
    if not report.failing:
        return f"{report.clean}{rest}."
    number = len(report.failing)
    return f"{number} finding{'s' if number > 1 else ''} at or above {report.threshold.word}{rest}."


def _block(first: str, text: str, indent: int) -> str:
    """Return text behind a word, folded below where it begins."""
    space = " " * indent
    lines = wrap(text, _WIDTH - indent, break_long_words=False, break_on_hyphens=False) or [""]
    return f"{first:<{indent}}" + f"\n{space}".join(lines)
