"""A report as JUnit XML, for whatever shows test results: one test a rule."""

from collections import defaultdict
from xml.sax.saxutils import quoteattr

from ops.findings.model import Finding, Report


def junit(report: Report) -> str:
    """Return a report as JUnit XML: a rule with findings at or above the threshold is a failed test."""
    failures: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in report.failing:
        failures[finding.id].append(finding)
    names = sorted({*report.rules, *failures})
    counts = f'tests="{len(names)}" failures="{len(failures)}" errors="0"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>"]
    lines.append(f"<testsuite name={_attribute(f'{report.tool} {report.target}')} {counts}>")
    for name in names:
        case = f"<testcase classname={_attribute(report.tool)} name={_attribute(name)}"
        found = failures.get(name)
        if not found:
            lines.append(f"{case}/>")
            continue
        text = "\n".join(f"{finding.severity.word}: {finding.sentence} ({finding.address})" for finding in found)
        message = _attribute(found[0].sentence)
        failure = f"<failure type={_attribute(found[0].severity.word)} message={message}>{_body(text)}</failure>"
        lines.append(f"{case}>{failure}</testcase>")
    lines += ["</testsuite>", "</testsuites>"]
    return "\n".join(lines)


def _body(text: str) -> str:
    return _printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))


def _printable(text: str) -> str:
    """Drop what XML 1.0 has no place for (section 2.2)."""
    return "".join(sign for sign in text if sign in "\t\n" or (sign >= " " and sign not in "\ufffe\uffff"))
