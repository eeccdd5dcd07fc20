"""The generated tables of docs/faults.md: each drill with its measured figures, and what has no drill."""

import json
from typing import Any

from tests.faults.drills import MEASURED, Row, load_drills

Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]

# Of tiers that `make faults` leaves out; `python -m tests.faults.report` carries over what a run of theirs left.
_NEEDS = {
    "stack": "needs a container engine; no run is carried here yet",
    "host": "needs root and a container engine; no run is carried here yet",
}
_UNITS = {"_percent": " %", "_ms": " ms", "_mib": " MiB", "_s": " s"}


def measured_drills() -> dict[str, dict[str, Any]]:
    """Return what was measured last, by the id of the drill."""
    found: dict[str, dict[str, Any]] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def fault_drills() -> Rows:
    """Return columns and rows of the drills."""
    measured = measured_drills()
    rows = [
        (row.fault, row.callers, _figures(row, measured.get(row.id)), _budget(row), _repeat(row))
        for row in load_drills().values()
    ]
    return ("fault", "what callers see", "measured", "budget", "how to repeat"), rows


def _figures(row: Row, found: dict[str, Any] | None) -> str:
    if found is None and row.form in {"quick", "long"}:
        return "**not measured yet**"
    if found is None:
        need = _NEEDS.get(row.form, "is run by `make faults`; no run is carried here yet")
        return f"asserted in the tier {row.form}, which {need}"
    figures = ", ".join(_figure(name, value) for name, value in sorted(found["figures"].items()))
    colour = "" if found["outcome"] == "green" else f"**{found['outcome']}** "
    form = "" if found["form"] == "quick" else f", {found['form']} form"
    return f"{colour}{figures or 'the test passes'} ({found['date']}{form})"


def _budget(row: Row) -> str:
    return ", ".join(_figure(name, value) for name, value in sorted(row.budget.items())) or "as the test says"


def _figure(name: str, value: float) -> str:
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            shown = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
            return f"{name.removesuffix(ending).replace('_', ' ')} {shown}{unit}"
    return f"{name.replace('_', ' ')} {value:g}"


def _repeat(row: Row) -> str:
    file, _, test = row.test.partition("::")
    return f"[`{test.partition('[')[0]}`](../{file})"
