"""docs/faults.md is made of the drills: each promise has one, each has figures within its budget, and none is red."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.fault_pages import measured_drills
from tests.faults.drills import FIGURES, PROPERTY, Drill, Row, load_drills, load_promises, load_unmeasured
from tests.faults.recorder import Recorder
from tests.tiers import tier_of

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "faults.md"
OWN = {"quick", "long"}


def test_each_promise_has_a_drill() -> None:
    drilled = {row.of for row in load_drills().values()}
    assert drilled == load_promises().keys()


@pytest.mark.parametrize("row", load_drills().values(), ids=lambda row: row.id)
def test_each_drill_names_a_test_that_exists(row: Row) -> None:
    file, _, case = row.test.partition("::")
    name, _, parameters = case.partition("[")
    assert not parameters or parameters.rstrip("]").partition("-")[0] in (REPOSITORY / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", (REPOSITORY / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert tier_of(REPOSITORY / file) == ("faults" if row.form in OWN else row.form)
    assert row.budget or row.form not in OWN, "a test of another tier may keep figures of its own"


@pytest.mark.parametrize("row", load_drills().values(), ids=lambda row: row.id)
def test_each_drill_stands_in_the_page_and_is_not_red(row: Row) -> None:
    assert f"| {row.fault} | {row.callers} |" in PAGE.read_text(encoding="utf-8"), "run: make faults"
    found = measured_drills().get(row.id)
    if row.form in OWN:
        assert (found is None) == (row.id in load_unmeasured()), "run: make faults; then keep `unmeasured` right"
    if found:
        assert found["outcome"] == "green"
        assert all(found["figures"][name] <= most for name, most in row.budget.items())


def test_no_figure_is_of_a_drill_that_is_gone() -> None:
    assert measured_drills().keys() <= load_drills().keys()


def test_a_figure_over_its_budget_fails_and_so_does_one_that_is_missing() -> None:
    row = Row("x", "y", "a fault", "nothing", "a test", budget={"failed": 0, "back_s": 5})
    Drill(row, []).measured(failed=0, back_s=5, p99_ms=1000)
    with pytest.raises(AssertionError, match="failed"):
        Drill(row, []).measured(failed=1, back_s=1)
    with pytest.raises(AssertionError, match="back_s"):
        Drill(row, []).measured(failed=0)


def ended(test: str, *properties: tuple[str, dict[str, object]], failed: bool = False) -> Recorder:
    """Return a recorder that was told how a test ended."""
    recorder = Recorder()
    report = SimpleNamespace(
        nodeid=test, user_properties=properties, skipped=False, passed=not failed, failed=failed, when="call"
    )
    recorder.pytest_runtest_logreport(report)  # type: ignore[arg-type]
    return recorder


def test_a_test_of_another_tier_is_taken_down_with_its_figures_by_its_case() -> None:
    test = "tests/stack/test_recovery.py::test_live_tokens_work_while_a_store_or_keycloak_is_dead[postgres-postgres]"
    results = ended(test, (FIGURES, {"back_s": 1.23456})).results
    assert {id_: found["figures"] for id_, found in results.items()} == {"database-killed": {"back_s": 1.235}}
    assert ended(test, failed=True).results["database-killed"]["outcome"] == "red"


def test_a_drill_under_fewer_calls_is_not_taken_down() -> None:
    found = (PROPERTY, {"id": "edge-reloads", "figures": {"failed": 0}})
    assert ended("tests/faults/test_edge.py::test_reloads", found).results["edge-reloads"]["outcome"] == "green"
    assert not ended("tests/faults_quick/test_quick.py::test_reloads", found).results
