"""The figures as a Markdown table, an SVG plot and JSON for the comparison with the last run."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.benchmarks.cases import ALGORITHMS, FASTMCP, LIMIT
from tests.benchmarks.measure import Case, ratio
from tests.benchmarks.page import DOCS, bars, machine, put

PACKAGES = ("cryptography", "joserfc", "fastmcp", "PyJWT", "Authlib", "fastapi-keycloak-middleware")


def by_group(cases: Iterable[Case]) -> dict[str, dict[str, Case]]:
    """Return the cases as group, then name."""
    groups: dict[str, dict[str, Case]] = {}
    for case in cases:
        groups.setdefault(case.group, {})[case.name] = case
    return groups


def markdown(groups: dict[str, dict[str, Case]]) -> str:
    """Return the tables."""
    text = ["| " + " | ".join(["validation", *ALGORITHMS]) + " |", "|---|" + "---|" * len(ALGORITHMS)]
    for name in groups[ALGORITHMS[0]]:
        cells = []
        for algorithm in ALGORITHMS:
            group = groups[algorithm]
            limit, low, high = ratio(group[name], group[LIMIT])
            cheaper = ratio(group[FASTMCP], group[name])[0]
            spread = f"{limit:.2f} ({low:.2f} to {high:.2f})"
            cells.append(f"{group[name].microseconds:.1f} µs · {spread} · {cheaper:.1f}")
        text.append(f"| {name} | " + " | ".join(cells) + " |")
    for group_name, group in groups.items():
        if group_name.endswith("refused"):
            text += ["", f"| {group_name} | CPU | of a good token |", "|---|---|---|"]
            good = groups[group_name.removesuffix(" refused")]["ours, first sight"]
            for case in group.values():
                text.append(f"| {case.name} | {case.microseconds:.1f} µs | {ratio(case, good)[0]:.2f} |")
    return "\n".join(text)


def as_json(groups: dict[str, dict[str, Case]]) -> dict[str, Any]:
    """Return the figures for a later comparison."""
    return {
        "machine": machine(PACKAGES),
        "microseconds": {
            group: {name: round(case.microseconds, 2) for name, case in cases.items()}
            for group, cases in groups.items()
        },
        "times_the_limit": {
            algorithm: {name: round(ratio(case, groups[algorithm][LIMIT])[0], 3) for name, case in cases.items()}
            for algorithm, cases in groups.items()
            if algorithm in ALGORITHMS
        },
    }


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return a line for each ratio that moved by more than a tenth since the last run."""
    lines = []
    for algorithm, names in after["times_the_limit"].items():
        for name, now in names.items():
            then = before.get("times_the_limit", {}).get(algorithm, {}).get(name)
            if then and abs(now / then - 1) > 0.1:
                lines.append(f"{algorithm}, {name}: {then} -> {now} times the bare signature check")
    return lines


def svg(groups: dict[str, dict[str, Case]]) -> str:
    """Return a bar chart: CPU time of a validation as a multiple of the bare signature check, RS256."""
    group = groups["RS256"]
    values = [(name, ratio(case, group[LIMIT])[0]) for name, case in group.items()]
    return bars("CPU time of one RS256 validation, times the bare signature check", values)


def write(cases: Sequence[Case], rounds: int) -> list[str]:
    """Write docs/benchmarks.md, its plot and its JSON; return what changed since the last run."""
    groups = by_group(cases)
    figures = DOCS / "benchmarks.json"
    before = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
    after = as_json(groups)
    figures.write_text(json.dumps(after, indent=2) + "\n", encoding="utf-8")
    (DOCS / "images").mkdir(exist_ok=True)
    (DOCS / "images" / "validation.svg").write_text(svg(groups), encoding="utf-8")
    put("validation", f"Measured on {machine(PACKAGES)} {rounds} rounds.\n\n{markdown(groups)}")
    return changes(before, after)
