"""The figures of whole calls: table, plot, JSON for the comparison with the next run, and whether the aims are met."""

import argparse
import json
import os
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from tests.benchmarks.calls.cases import JOSERFC, MANY, NEW, OLD, OURS, REST, SDK, STOCK, Case, Sample
from tests.benchmarks.page import DOCS, bars, machine, put

PACKAGES = ("fastmcp", "mcp", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "gunicorn", "joserfc")
PACKAGES = (*PACKAGES, "fastapi-keycloak-middleware")
JSON = DOCS / "benchmarks-calls.json"
PLOT = DOCS / "images" / "calls.svg"


def middle(case: Case, value: Callable[[Sample], float]) -> float:
    """Return the median of a value over the rounds."""
    return statistics.median(map(value, case.samples))


def paired(case: Case, other: Case, value: Callable[[Sample], float]) -> tuple[float, float, float]:
    """Return the median of case/other with the quartiles, each pair from the same round."""
    quotients = [value(mine) / value(theirs) for mine, theirs in zip(case.samples, other.samples, strict=True)]
    low, median, high = statistics.quantiles(quotients, n=4)
    return median, low, high


def _spread(case: Case, value: Callable[[Sample], float], digits: int = 0) -> str:
    low, _, high = statistics.quantiles(map(value, case.samples), n=4)
    return f"{middle(case, value):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _groups(cases: Sequence[Case]) -> dict[str, dict[str, Case]]:
    groups: dict[str, dict[str, Case]] = {}
    for case in cases:
        groups.setdefault(case.group, {})[case.name] = case
    return groups


def aims(cases: Sequence[Case]) -> list[tuple[str, float, float, bool]]:
    """Return what is aimed at: sentence, figure, bound, and whether at least (True) or at most (False) is meant."""
    groups, found = _groups(cases), []
    for group in (NEW, OLD):
        names = groups.get(group, {})
        if {OURS, STOCK, SDK} <= names.keys():
            ours, stock, sdk = names[OURS], names[STOCK], names[SDK]
            rate, p99 = (paired(ours, stock, value)[0] for value in (_rate, _p99))
            found += [
                (f"{group}: requests a second, times {STOCK}", rate, 3.0, True),
                (f"{group}: p99, part of {STOCK}", p99, 0.2, False),
                (f"{group}: CPU time a request, part of {SDK}", paired(ours, sdk, _cpu)[0], 1.0, False),
            ]
    rest = groups.get(REST, {})
    if {OURS, JOSERFC} <= rest.keys():
        rate = paired(rest[OURS], rest[JOSERFC], _rate)[0]
        found.append((f"{REST}: requests a second, times {JOSERFC}", rate, 2.0, True))
    if {OURS, f"{OURS}, {MANY} tools"} <= groups.get(NEW, {}).keys():
        grown = paired(groups[NEW][f"{OURS}, {MANY} tools"], groups[NEW][OURS], _cpu)[0]
        found.append((f"{NEW}: CPU time with {MANY} tools, times with 3", grown, 1.1, False))
    return found


def _rate(sample: Sample) -> float:
    return sample.rate


def _p99(sample: Sample) -> float:
    return sample.p99


def _cpu(sample: Sample) -> float:
    return sample.cpu


def markdown(cases: Sequence[Case]) -> str:
    """Return the tables."""
    lines: list[str] = []
    for group, names in _groups(cases).items():
        lines += ["", f"| {group} | CPU µs a request | requests/s | p50 ms | p99 ms | ours: requests/s | ours: CPU |"]
        lines.append("|---|---|---|---|---|---|---|")
        for case in names.values():
            compared = ["", ""]
            if OURS in names and case.name != OURS:
                rate, low, high = paired(names[OURS], case, _rate)
                compared = [f"{rate:.2f} x ({low:.2f} to {high:.2f})", f"{paired(names[OURS], case, _cpu)[0]:.2f} x"]
            cells = [case.name, _spread(case, _cpu), _spread(case, _rate)]
            cells += [f"{middle(case, lambda sample: sample.p50):.1f}", _spread(case, _p99, 1), *compared]
            lines.append(f"| {' | '.join(cells)} |")
    if found := aims(cases):
        lines += ["", "| aim | found | bound | met |", "|---|---|---|---|"]
        for sentence, figure, bound, least in found:
            met = figure >= bound if least else figure <= bound
            lines.append(
                f"| {sentence} | {figure:.2f} | {'>=' if least else '<='} {bound} | {'yes' if met else 'no'} |"
            )
    return "\n".join(lines).strip()


def as_json(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the figures for a later comparison."""
    values = {"cpu_microseconds": _cpu, "requests_a_second": _rate, "p50_ms": lambda one: one.p50, "p99_ms": _p99}
    return {
        "machine": machine(PACKAGES),
        "medians": {
            group: {
                name: {key: round(middle(case, value), 2) for key, value in values.items()}
                for name, case in names.items()
            }
            for group, names in _groups(cases).items()
        },
        "aims": {sentence: round(figure, 3) for sentence, figure, _, _ in aims(cases)},
    }


def write(cases: Sequence[Case], options: argparse.Namespace) -> list[str]:
    """Write the page's part, the plot and the JSON; return what changed by more than a tenth since the last run."""
    before = json.loads(JSON.read_text(encoding="utf-8")) if JSON.exists() else {}
    after = as_json(cases)
    JSON.write_text(json.dumps(after, indent=2) + "\n", encoding="utf-8")
    values = [(f"{case.group}, {case.name}", middle(case, _cpu)) for case in cases]
    PLOT.write_text(bars("CPU time of a whole call", values, " µs", 400), encoding="utf-8")
    how = f"{options.rounds} rounds of {options.seconds} s, {options.connections} connections; load average of the "
    how += f"machine at the end {os.getloadavg()[0]:.1f}, of which about 2 is the run itself."
    put("calls", f"Measured on {machine(PACKAGES)} {how}\n\n{markdown(cases)}")
    changes = []
    for sentence, now in after["aims"].items():
        then = before.get("aims", {}).get(sentence)
        if then and abs(now / then - 1) > 0.1:
            changes.append(f"changed since the last run: {sentence}: {then} -> {now}")
    return [*changes, "wrote docs/benchmarks.md, docs/benchmarks-calls.json and docs/images/calls.svg"]
