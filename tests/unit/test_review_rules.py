"""Each rule of review fires on a plan of a real provider and is silent on another: tests/review/README.md."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from ops.findings.model import Finding
from ops.review.judge import judge
from ops.review.plan import read_plan
from ops.review.rules import load_rules

REVIEW = Path(__file__).resolve().parents[1] / "review"
PLANS = sorted((REVIEW / "plans").glob("*.json"))
CREATED = [path for path in PLANS if path.stem.endswith("-created")]


@cache
def findings(path: Path, *, everything: bool = False) -> tuple[Finding, ...]:
    return tuple(judge(read_plan(path.read_bytes(), path.name), everything=everything))


def written(found: Finding) -> str:
    return f"{found.severity.word} {found.id} {found.address}: {found.sentence}"


@pytest.mark.requirement("REVIEW-RULES")
@pytest.mark.parametrize("rule", load_rules())
def test_a_rule_fires_on_one_real_plan_and_is_silent_on_another(rule: str) -> None:
    fired = {path.stem for path in PLANS for found in findings(path) if found.id == rule}
    assert fired, f"no plan makes {rule} speak; add a case"
    family = {name.split("-")[0] for name in fired}
    assert family & {path.stem.split("-")[0] for path in CREATED}, f"{rule} has no plan of its kind to be silent on"
    assert fired.isdisjoint(path.stem for path in CREATED)


@pytest.mark.parametrize("path", CREATED, ids=lambda path: path.stem)
def test_what_is_as_it_should_be_is_not_spoken_of(path: Path) -> None:
    assert findings(path) == ()
    assert findings(path, everything=True) == ()


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_review_says_what_was_looked_over(path: Path) -> None:
    """A person read the sentences; after a change run `python -m tests.review.expect` and read the difference."""
    expected = yaml.safe_load((REVIEW / "cases" / "expected.yaml").read_text(encoding="utf-8"))
    assert sorted(map(written, findings(path))) == expected[path.stem]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_fixture_holds_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not [folder for folder in ("tmp", "root", "home", "work") if f"/{folder}/" in text]


def test_there_are_enough_rules() -> None:
    subjects: dict[str, int] = {}
    for rule in load_rules().values():
        subjects[rule.subject] = subjects.get(rule.subject, 0) + 1
    of_containers = subjects["containers"] + subjects["images"] + subjects["programs"]
    assert of_containers >= 15
    assert sum(subjects.values()) - of_containers >= 40
