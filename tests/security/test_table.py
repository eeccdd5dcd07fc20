"""The hostile-token table (docs/hostile-tokens.md): every case of cases.yaml over real HTTP, exact answers."""

import ast
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.security.conftest import REALM, Bench
from tests.security.table import ROWS, Case, cases, entries, row_of
from tests.security.verdict import fault

BY_ENTRY: dict[str, list[Case]] = {}
for _case in cases():
    BY_ENTRY.setdefault(str(_case.entry["id"]), []).append(_case)

NEEDS = {"edge", "dpop", "keycloak", "sse"}
WINDOW = 20  # a run of so many characters of a token in a log is a leak

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS")


@pytest.mark.requirement("RFC6750-3.1-TOKEN", "RFC6750-3.1-REQUEST", "RFC7515-4", "RFC7519-4", "RFC8725-3.1")
@pytest.mark.requirement("RFC8725BIS-UTF8", "RFC8725BIS-CRIT", "RFC9068-4", "RFC9449-7.2")
@pytest.mark.parametrize("entry", BY_ENTRY.values(), ids=BY_ENTRY.keys())
def test_a_case_has_its_answer(bench: Bench, entry: list[Case]) -> None:
    world = bench.service.world
    faults = []
    for case in entry:
        token = case.token(world)
        answer = bench.exchange(case.request(world, token), token, case.method)
        found = [fault(expected, answer, bench.service) for expected in case.expect]
        if all(found):
            faults.append(f"{case.id} ({case.entry['note']}): {found[0]}")
    assert not faults, "\n".join(faults)


def test_every_row_of_the_table_is_here() -> None:
    rows = Counter(row_of(entry) for entry in entries())
    assert set(rows) == set(range(1, ROWS + 1))
    ids = Counter(str(entry["id"]) for entry in entries())
    assert [id_ for id_, count in ids.items() if count > 1] == []
    undecided = [entry["id"] for entry in entries() if len({"expect", "needs", "proved_by"} & entry.keys()) != 1]
    assert undecided == []


def test_what_cannot_run_says_why(record_property: Any) -> None:
    deferred = {str(entry["id"]): f"{entry['needs']}: {entry['reason']}" for entry in entries() if "needs" in entry}
    record_property("deferred", deferred)
    assert {reason.partition(":")[0] for reason in deferred.values()} <= NEEDS
    runs = {row_of(entry) for entry in entries() if "needs" not in entry}
    assert sorted(set(range(1, ROWS + 1)) - runs) == [93, 107]  # rows of which nothing can run yet


def test_what_another_test_proves_exists() -> None:
    for entry in entries():
        if "proved_by" in entry:
            name, _, function = entry["proved_by"].partition("::")
            tree = ast.parse(Path(__file__).with_name(name).read_text(encoding="utf-8"))
            assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, entry["id"]


def _windows(text: str) -> set[str]:
    runs = re.findall(rf"[A-Za-z0-9_-]{{{WINDOW},}}", text)
    return {run[at : at + WINDOW] for run in runs for at in range(len(run) - WINDOW + 1)}


@pytest.mark.requirement("MCP-R13")
def test_no_log_has_a_part_of_a_token(bench: Bench) -> None:
    """Payload and signature of every token of this run; a good one is shown first, so that it also runs alone."""
    case = BY_ENTRY["3a"][0]
    token = case.token(bench.service.world)
    assert bench.exchange(case.request(bench.service.world, token), token).status == 200
    text = bench.service.log.read_text(encoding="utf-8", errors="replace")
    logged = _windows(text)
    segment = re.compile(r"[\w-]*[^\WA][\w-]*", re.ASCII)
    parts = {part for shown in bench.shown for part in shown.split(".")[1:] if segment.fullmatch(part)}
    leaked = {window for part in parts for window in _windows(part) & logged}
    assert not leaked, f"the log has {sorted(leaked)[:5]}"


def test_the_log_is_one_object_a_line_whatever_callers_write(bench: Bench) -> None:
    lines = bench.service.log.read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["event"] for line in lines if line.startswith("{")]
    strangers = [line for line in lines if not line.startswith("{")]
    assert strangers == []
    assert not {"request_failed", "tool_failed"} & set(events)


def test_nobody_followed_a_url_of_a_token(bench: Bench) -> None:
    assert bench.canary.connections == 0
    other = [path for path in bench.issuer.fetches if f"/{REALM}/" not in path]
    assert not [path for path in other if "other" in path or "master" in path]


def test_unknown_key_ids_cost_few_fetches(bench: Bench) -> None:
    """Two at once and one every 30 s, besides the renewals (service/auth/keys.py)."""
    events = [json.loads(line)["time"] for line in bench.service.log.read_text().splitlines() if line.startswith("{")]
    first = time.strptime(events[0][:19], "%Y-%m-%dT%H:%M:%S")
    seconds = time.mktime(time.gmtime()) - time.mktime(first)
    assert bench.issuer.certs_fetches(REALM) <= 4 + seconds / 30 + seconds / 200


def test_the_page_about_the_table_says_the_same() -> None:
    """docs/hostile-tokens.md has every row, with the classes of cases.yaml."""
    wanted: dict[int, set[str]] = {}
    for entry in entries():
        answers = {expected.partition(" ")[0] for expected in str(entry.get("expect", "")).split("|") if expected}
        answers |= {"own test"} if "proved_by" in entry else set()
        answers |= {f"deferred ({entry['needs']})"} if "needs" in entry else set()
        wanted.setdefault(row_of(entry), set()).update(answers)
    page = (Path(__file__).parents[2] / "docs" / "hostile-tokens.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|", page, re.MULTILINE)
    assert {int(row): set(answers.split(", ")) for row, answers in told} == wanted
