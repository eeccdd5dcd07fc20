"""Findings, waivers and formats, which review, audit and doctor share."""

import json
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from ops.errors import ExitCode, OperatorError
from ops.findings.formats import Format, render
from ops.findings.model import Report, Rule, Severity, severity_of
from ops.findings.waivers import EXPIRED, UNUSED, apply_waivers, load_waivers

OPEN = Rule("port-open", Severity.HIGH, "port {port} is open", "It is reachable.", "Close it.", "RFC 1", "ports")
LOUD = Rule("log-loud", Severity.LOW, "the log of {name} is loud", "It costs.", "Be quiet.", "none", "logs")
RULES = {rule.id: rule for rule in (OPEN, LOUD)}
FOUND = (LOUD.find("box.a", name="a"), OPEN.find('box.a["x"]', port=22), OPEN.find("box.b", port=80))
TODAY = date(2026, 11, 22)

WAIVER = """\
waivers:
  - rule: port-open
    address: box.a["x"]
    owner: platform
    reason: needed
    expires: 2026-11-22
"""


def report(findings=FOUND, **options) -> Report:
    return Report("secure-mcp review", "plan.json", RULES, tuple(findings), **options)


def test_findings_come_worst_first_and_decide_about_the_exit_code() -> None:
    assert [found.sentence for found in report().worst_first] == [
        "Port 22 is open",
        "Port 80 is open",
        "The log of a is loud",
    ]
    assert report().exit_code is ExitCode.FINDINGS
    assert report(threshold=Severity.CRITICAL).exit_code is ExitCode.OK
    assert report(FOUND[:1]).exit_code is ExitCode.OK
    assert report(FOUND[:1], threshold=Severity.LOW).exit_code is ExitCode.FINDINGS


def test_a_word_that_is_no_severity_is_refused() -> None:
    assert severity_of("High") is Severity.HIGH
    with pytest.raises(OperatorError, match="info, low, medium, high, critical"):
        severity_of("urgent")


def test_what_a_plan_says_cannot_forge_lines_or_colours() -> None:
    found = OPEN.find("box\x1b[31m.a\n", port="22\nHIGH     nothing is wrong\x1b[0m")
    assert found.sentence == "Port 22 HIGH nothing is wrong [0m is open"
    assert "\x1b" not in found.address


def test_a_waiver_covers_until_its_last_day(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(WAIVER)
    waivers = load_waivers(file, RULES)
    kept, waived = apply_waivers(FOUND, waivers, TODAY)
    assert [found.address for found in kept] == ["box.a", "box.b"]
    assert [found.address for found, _ in waived] == ['box.a["x"]']


def test_an_expired_waiver_covers_nothing_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(WAIVER)
    kept, waived = apply_waivers(FOUND, load_waivers(file, RULES), date(2026, 11, 23))
    assert waived == []
    assert {found.id for found in kept} == {"port-open", "log-loud", EXPIRED.id}
    assert report(kept, threshold=Severity.HIGH).exit_code is ExitCode.FINDINGS


def test_a_waiver_that_covers_nothing_is_named_and_a_star_covers_many(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(WAIVER.replace('box.a["x"]', "'box.*'"))
    waivers = load_waivers(file, RULES)
    assert len(apply_waivers(FOUND, waivers, TODAY)[1]) == 2
    kept, _ = apply_waivers(FOUND[:1], waivers, TODAY)
    assert kept[1].id == UNUSED.id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("waivers: [", "cannot be read"),
        ("[]", "is no file of waivers"),
        ("waivers: {}", "is no file of waivers"),
        (WAIVER + "other: 1\n", "is no file of waivers"),
        (WAIVER.replace("    reason: needed\n", ""), "has not exactly the keys"),
        (WAIVER.replace("needed", "''"), "has an empty key"),
        (WAIVER.replace("port-open", "port-shut"), "which is none"),
        (WAIVER.replace("2026-11-22", "soon"), "has no date"),
        (WAIVER.replace("2026-11-22", "2026-11-22 10:00:00"), "has no date"),
    ],
)
def test_a_wrong_file_of_waivers_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(OperatorError, match=says) as told:
        load_waivers(file, RULES)
    assert told.value.code is ExitCode.USAGE
    assert told.value.next_step


def test_a_missing_file_of_waivers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read"):
        load_waivers(tmp_path / "none.yaml", RULES)


def test_text_names_rule_reason_remedy_and_place() -> None:
    lines = render(report(), Format.TEXT).splitlines()
    assert lines[0] == "HIGH      Port 22 is open."
    assert "port-open" in lines[3]
    assert 'box.a["x"]' in lines[3]
    assert lines[-1] == "plan.json: 2 findings at or above medium (1 below medium)."
    assert render(report([], clean="nothing that weakens security"), Format.TEXT).endswith(
        "plan.json: nothing that weakens security.\n"
    )


def test_markdown_shows_what_a_plan_says_as_it_is() -> None:
    found = OPEN.find("box", port="[22](https://evil.example) @everyone <b>|")
    page = render(report([found]), Format.MARKDOWN)
    assert r"\[22\](https://evil.example)" in page
    assert "@everyone" not in page
    assert "<b>" not in page.replace("<details>", "")


def test_json_has_everything_a_machine_needs(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(WAIVER)
    kept, waived = apply_waivers(FOUND, load_waivers(file, RULES), TODAY)
    content = json.loads(render(report(kept, waived=tuple(waived), notes=("not judged: x",)), Format.JSON))
    assert content["exit_code"] == 1
    assert [found["rule"] for found in content["findings"]] == ["port-open", "log-loud"]
    assert content["waived"][0]["waiver"]["expires"] == "2026-11-22"
    assert content["notes"] == ["not judged: x"]


def test_sarif_names_rules_results_and_suppressions(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(WAIVER)
    kept, waived = apply_waivers(FOUND, load_waivers(file, RULES), TODAY)
    (run,) = json.loads(render(report(kept, waived=tuple(waived)), Format.SARIF))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["log-loud", "port-open"]
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("port-open", "error"),
        ("log-loud", "note"),
        ("port-open", "error"),
    ]
    assert [bool(result.get("suppressions")) for result in run["results"]] == [False, False, True]


def test_junit_has_a_test_a_rule() -> None:
    found = OPEN.find("box", port='22 <&"\x00')
    root = ET.fromstring(render(report([found]), Format.JUNIT))  # noqa: S314 - our own output
    assert root.attrib["tests"] == "2"
    assert root.attrib["failures"] == "1"
    failed = root.findall(".//testcase[failure]")
    assert [case.attrib["name"] for case in failed] == ["port-open"]
    assert '22 <&"' in failed[0][0].text
