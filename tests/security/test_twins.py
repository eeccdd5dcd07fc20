"""The table bites: run against two weaker services it finds what they let pass (tests/security/twins.yaml)."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.security.conftest import REALM
from tests.security.issuer import FakeIssuer
from tests.security.system import ROOT, Service, free_port
from tests.security.table import Case, cases, row_of
from tests.security.verdict import coarse
from tests.security.wire import connection
from tests.support.until import until

FROZEN = yaml.safe_load(Path(__file__).with_name("twins.yaml").read_text(encoding="utf-8"))
LAST_ROW = 98  # the rows behind it are about the service around the token

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS")


@contextmanager
def twin(name: str, issuer: FakeIssuer, log: Path) -> Iterator[Service]:
    """Run a twin for the block."""
    port = free_port()
    found = Service(f"http://localhost:{port}", issuer.issuer(REALM), log, "127.0.0.1:9")
    command = [sys.executable, "-m", "tests.security.twins", name, str(port), found.issuer]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        until(lambda: process.poll() is not None or found.status("/") == 404, 60, f"the twin; its log: {log}")
        yield found
    finally:
        process.terminate()
        process.wait(timeout=30)


def table_for(name: str) -> Iterator[Case]:
    """Yield the cases that a twin can be asked: by MCP, with the one algorithm of FastMCP, about the token."""
    for case in cases():
        algorithms = case.entry.get("algs", ["RS256"])
        fits = case.algorithm == "RS256" or (name == "joserfc" and algorithms == [case.algorithm])
        if case.entrance == "mcp" and case.row <= LAST_ROW and fits:
            yield case


def wanted(case: Case) -> set[str]:
    """Return the classes that are right, without the details that a twin cannot know."""
    return {expected.partition(" ")[0] for expected in case.expect}


@pytest.mark.parametrize("name", FROZEN)
def test_a_weak_twin_fails_the_table(issuer: FakeIssuer, tmp_path: Path, name: str) -> None:
    failed: dict[str, set[str]] = {}
    with twin(name, issuer, tmp_path / "twin.log") as running:
        world = running.world
        for case in table_for(name):
            with connection(running.origin) as opened:
                opened.send(case.request(world, case.token(world)))
                answer = opened.answer(case.method)
            found = coarse(answer)
            if found not in wanted(case):
                failed.setdefault(str(case.entry["id"]), set()).add(found)
    found_now = {id_: "/".join(sorted(classes)) for id_, classes in failed.items()}
    assert found_now == {str(id_): str(classes) for id_, classes in FROZEN[name]["failed"].items()}


@pytest.mark.parametrize("name", FROZEN)
def test_a_twin_fails_where_it_was_measured_to_fail(name: str) -> None:
    """The rows in which the research found the library to accept or to break (docs/hostile-tokens.md)."""
    rows = {row_of({"id": id_}) for id_ in FROZEN[name]["failed"]}
    assert set(FROZEN[name]["measured"]) - rows == set()
