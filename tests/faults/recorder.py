"""pytest plugin: what drills measured, and how the tests of other tiers that are drills ended, in dist/faults.json."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.drills import FIGURES, LONG, PROPERTY, load_drills

RESULTS = Path(__file__).resolve().parents[2] / "dist" / "faults.json"
OWN = "tests/faults/"


class Recorder:
    """Keeps the newest result of each drill."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any]] = {}
        self.elsewhere = [row for row in load_drills().values() if row.form not in {"quick", "long"}]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down how a test ended: a failure of its set-up counts as one."""
        said = [(name, value) for name, value in report.user_properties if isinstance(value, dict)]
        # Under the fewer calls of tests/faults_quick the same drill has other figures.
        drills = [value for name, value in said if name == PROPERTY and report.nodeid.startswith(OWN)]
        figures = {name: round(number, 3) for kind, value in said if kind == FIGURES for name, number in value.items()}
        mine = {report.nodeid, report.nodeid.partition("[")[0]}
        drills += [{"id": row.id, "figures": figures} for row in self.elsewhere if row.test in mine]
        if report.skipped or (report.passed and report.when != "call"):
            return
        for drill in drills:
            before = self.results.get(drill["id"], {}).get("outcome")
            self.results[drill["id"]] = {
                "outcome": "red" if report.failed or before == "red" else "green",
                "figures": drill["figures"],
                "form": "long" if LONG else "quick",
                "date": dt.datetime.now(dt.UTC).date().isoformat(),
            }

    def pytest_sessionfinish(self) -> None:
        """Write the results beside those of earlier runs."""
        if not self.results:
            return
        RESULTS.parent.mkdir(exist_ok=True)
        before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        text = json.dumps(before | self.results, indent=2, sort_keys=True) + "\n"
        RESULTS.write_text(text, encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin."""
    config.pluginmanager.register(Recorder(), "secure-mcp-faults")
