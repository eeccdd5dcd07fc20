"""The table once more without a network: what the guard itself answers, case by case (mutation testing runs this)."""

from functools import cache
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from service.auth.token import CLOCK_READS_SECONDS
from tests.security.inside import ask, decisions, guarded
from tests.security.judge import WORLD, validator
from tests.security.system import Service
from tests.security.table import Case, cases
from tests.security.verdict import fault

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS")

NEEDS_HTTP = {"method", "target", "host", "replace", "entrances"}
QUICK = ("EdDSA", "ES256")
# What stands in the log for the classes that do not name a reason.
REASONS = {
    "A": {"no_credentials", "other_scheme"},
    "C": {"insufficient_scope"},
    "D": {"several_credentials"},
    "O": {"sufficient_scope"},
}
FRAMING = (b"content-type", b"content-length", b"host", b"connection")
SERVICE = Service(WORLD.origin, WORLD.iss, Path())

BY_ENTRY: dict[str, list[Case]] = {}
for _case in cases():
    quick = _case.algorithm == next((name for name in QUICK if name in _case.entry.get("algs", QUICK)), _case.algorithm)
    inside = not NEEDS_HTTP & _case.entry.keys() and _case.row < 99 and "E" not in _case.expect
    if _case.entrance == "rest" and quick and inside:
        BY_ENTRY.setdefault(str(_case.entry["id"]), []).append(_case)


@cache
def app() -> ASGIApp:
    return guarded(validator(max_lifetime=300 + CLOCK_READS_SECONDS))


def header(line: bytes) -> tuple[bytes, bytes]:
    """Split a header line as a parser would."""
    name, _, value = line.partition(b":")
    return name.lower(), value.lstrip(b" ")


@pytest.mark.parametrize("entry", BY_ENTRY.values(), ids=BY_ENTRY.keys())
def test_the_guard_answers_a_case(entry: list[Case]) -> None:
    faults = []
    for case in entry:
        token = case.token(WORLD)
        head, _, body = case.request(WORLD, token).partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        pairs = [header(line) for line in lines]
        kind = next(value for name, value in pairs if name == b"content-type")
        own = [pair for pair in pairs if pair[0] not in FRAMING]
        with decisions() as lines:
            answer = ask(app(), own, query=first.split(b" ")[1].partition(b"?")[2], body=body, content_type=kind)
        found = [fault(expected, answer, SERVICE) for expected in case.expect]
        reasons = {line.get("reason") for line in lines}
        if not any(REASONS.get(expected[:1], {expected[2:]}) & reasons for expected in case.expect):
            faults.append(f"{case.id}: logged as {reasons}")
        if all(found):
            faults.append(f"{case.id} ({case.entry['note']}): {found[0]}")
    assert not faults, "\n".join(faults)
