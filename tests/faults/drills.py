"""The drills as data (drills.yaml), and the figures that a drill must keep."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

DRILLS = Path(__file__).with_name("drills.yaml")
MEASURED = Path(__file__).with_name("measured.json")
LONG = bool(os.environ.get("SECURE_MCP_LONG"))
PROPERTY = "drill"
FIGURES = "figures"
"""Name of the property by which a test of another tier tells what it measured: a figure's name and its number."""


@dataclass(frozen=True)
class Row:
    """A row of drills.yaml: `budget` is the largest value of each figure; `form` is quick, long or a tier."""

    id: str
    of: str
    fault: str
    callers: str
    test: str
    form: str = "quick"
    budget: dict[str, float] = field(default_factory=dict)

    def check(self, figures: Mapping[str, float]) -> None:
        """Compare figures with the budget; a figure without one is for information.

        Raises:
            AssertionError: a figure is over its budget, or one with a budget was not measured.
        """
        missing = self.budget.keys() - figures.keys()
        assert not missing, f"{self.id} did not measure {sorted(missing)}"
        over = {name: value for name, value in figures.items() if value > self.budget.get(name, value)}
        assert not over, f"{self.id}: {over} is more than {self.budget}; measured {dict(figures)}"


@cache
def load_drills() -> dict[str, Row]:
    """Return the drills by id."""
    rows = [Row(**row) for row in yaml.safe_load(DRILLS.read_text(encoding="utf-8"))["drills"]]
    return {row.id: row for row in rows}


@cache
def load_promises() -> dict[str, str]:
    """Return what has to be drilled, by id: a fault and the figure that is promised."""
    return dict(yaml.safe_load(DRILLS.read_text(encoding="utf-8"))["promises"])


@cache
def load_unmeasured() -> frozenset[str]:
    """Return the drills that have not been green yet."""
    return frozenset(yaml.safe_load(DRILLS.read_text(encoding="utf-8"))["unmeasured"])


class Drill:
    """What one drill measured.

    Args:
        row: its row.
        properties: of the test: what is in there is written to dist/faults.json by recorder.py.
    """

    def __init__(self, row: Row, properties: list[tuple[str, object]]) -> None:
        self.row = row
        self.figures: dict[str, float] = {}
        properties.append((PROPERTY, {"id": row.id, "figures": self.figures}))

    def measured(self, **figures: float) -> None:
        """Take figures down and compare them with the budget, see `Row.check`."""
        self.figures |= {name: round(value, 3) for name, value in figures.items()}
        self.row.check(self.figures)
