"""The hash chain of an audit file: unbroken through processes, rotation and a full disk; every change is found."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from service.telemetry import audit_file
from service.telemetry.audit_file import AuditFile, older_files
from service.telemetry.chain import GENESIS, Link, chained, link_of, verify

LARGE = 10**9


def event(number: int) -> str:
    return json.dumps({"event": "access_allowed", "request_id": f"r{number}"})


def lines_of(path: Path) -> list[str]:
    return [line for found in [*older_files(path), path] if found.exists() for line in found.read_text().splitlines()]


def chain(count: int) -> list[str]:
    last, lines = Link(0, GENESIS), []
    for number in range(count):
        line, last = chained(event(number), last)
        lines.append(line)
    return lines


@pytest.mark.requirement("AUDIT-CHAIN")
def test_an_unbroken_chain() -> None:
    lines = chain(20)
    report = verify(lines)
    assert (report.lines, report.problems) == (20, [])
    assert report.last == link_of(lines[-1])
    assert [json.loads(line)["chain"]["seq"] for line in lines] == list(range(1, 21))


@pytest.mark.requirement("AUDIT-CHAIN")
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda lines: lines.pop(7), "is number 9 and follows number 7"),
        (lambda lines: lines.insert(3, lines[9]), "is number 10 and follows number 3"),
        (lambda lines: lines.__setitem__(5, lines[5].replace("r5", "r6")), "was changed"),
        (lambda lines: lines.__setitem__(5, lines[5][:-10]), "is torn"),
        (lambda lines: lines.__setitem__(5, lines[5] + " "), "is torn"),
        (lambda lines: lines.__setitem__(5, "{}"), "is torn"),
        (lambda lines: lines.__setitem__(0, chained(event(0), Link(0, "1" * 64))[0]), "names a line before it"),
        (lambda lines: lines.__setitem__(5, chained(event(99), Link(5, "a" * 64))[0]), "does not follow"),
        (lambda lines: lines.reverse(), "follows number"),
    ],
)
def test_every_change_is_found(change, found: str) -> None:  # type: ignore[no-untyped-def]
    lines = chain(12)
    change(lines)
    assert any(found in problem for problem in verify(lines).problems)


@pytest.mark.requirement("AUDIT-CHAIN")
def test_an_anchor_finds_what_the_chain_alone_cannot() -> None:
    lines = chain(12)
    anchor = link_of(lines[8])
    assert anchor
    assert verify(lines, {anchor.seq: anchor.hash}).problems == []
    forged = [line.replace("r3", "rX") for line in map(event, range(12))]
    last, anew = Link(0, GENESIS), []
    for text in forged:
        line, last = chained(text, last)
        anew.append(line)
    assert verify(anew).problems == []
    assert "written anew" in verify(anew, {anchor.seq: anchor.hash}).problems[0]
    assert "cut off" in verify(lines[:5], {anchor.seq: anchor.hash}).problems[0]


@pytest.mark.requirement("AUDIT-CHAIN")
def test_a_restart_and_a_full_file_go_on_with_the_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_file, "KEPT_FILES", 3)
    path = tmp_path / "audit.jsonl"
    for start in range(0, 40, 4):
        assert AuditFile(path, 900)([event(number) for number in range(start, start + 4)]) == 0
    lines = lines_of(path)
    report = verify(lines)
    assert report.problems == []
    assert report.last
    assert report.last.seq == 40
    assert report.first
    assert report.first.seq > 1
    assert len(older_files(path)) == 3
    assert {found.stat().st_mode & 0o777 for found in older_files(path)} == {0o600}


WRITE = """
import sys
from pathlib import Path
from service.telemetry.audit_file import AuditFile
sink = AuditFile(Path(sys.argv[1]), int(sys.argv[2]))
for number in range(60):
    assert sink([f'{{"event": "access_allowed", "request_id": "{sys.argv[3]}-{number}"}}'] * 3) == 0
"""


@pytest.mark.requirement("AUDIT-CHAIN")
def test_four_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    started = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(path), "20000", name], stdout=subprocess.DEVNULL)
        for name in "abcd"
    ]
    assert [process.wait(60) for process in started] == [0] * 4
    report = verify(lines_of(path))
    assert (report.lines, report.problems) == (720, [])


@pytest.mark.requirement("AUDIT-CHAIN", "LOG-NONBLOCKING")
def test_a_full_disk_loses_lines_and_says_how_many(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = AuditFile(path, LARGE)
    assert sink([event(0)]) == 0
    before = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before + 100, hard))  # a write that fits in part only
    try:
        assert sink([event(1), event(2)]) == 2
        assert sink([event(3)]) == 1
        assert path.stat().st_size == before
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sink([event(4)]) == 0
    lines = [json.loads(line) for line in lines_of(path)]
    assert [line.get("lost") for line in lines] == [None, 3, None]
    assert verify(lines_of(path)).problems == []


@pytest.mark.requirement("AUDIT-CHAIN")
def test_a_line_torn_by_a_crash_is_told_and_ended(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    AuditFile(path, LARGE)([event(0), event(1)])
    path.write_text(path.read_text()[:-30])
    AuditFile(path, LARGE)([event(2)])
    assert verify(lines_of(path)).problems == ["line 2 is torn or has no chain"]


def test_a_folder_that_went_away_loses_lines(tmp_path: Path) -> None:
    sink = AuditFile(tmp_path / "gone" / "audit.jsonl", LARGE)
    assert sink([event(0)]) == 1
    (tmp_path / "gone").mkdir()
    assert sink([event(1)]) == 0
    (tmp_path / "gone").rename(tmp_path / "away")
    assert sink([event(2)]) == 1
    (tmp_path / "away").rename(tmp_path / "gone")
    assert sink([event(3)]) == 0
    lines = [json.loads(line) for line in lines_of(tmp_path / "gone" / "audit.jsonl")]
    assert [line.get("lost", line.get("request_id")) for line in lines] == [1, "r1", 1, "r3"]


@pytest.mark.requirement("AUDIT-CHAIN")
def test_a_file_that_was_moved_or_removed_is_begun_anew_and_its_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    one, other = AuditFile(path, LARGE), AuditFile(path, LARGE)
    assert one([event(0)]) == other([event(1)]) == 0
    path.rename(tmp_path / "audit.jsonl.000000000002")
    assert one([event(2)]) == other([event(3)]) == 0
    assert verify(lines_of(path)).problems == []
    path.unlink()
    assert one([event(4)]) == other([event(5)]) == 0
    assert [json.loads(line)["request_id"] for line in path.read_text().splitlines()] == ["r4", "r5"]


FORK = """
import os, sys
from pathlib import Path
from service.telemetry.audit_file import AuditFile
sink = AuditFile(Path(sys.argv[1]), 5000)
assert sink(['{"event": "before"}']) == 0
child = os.fork()
for _ in range(200):
    assert sink(['{"event": "after"}'] * 3) == 0
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.requirement("AUDIT-CHAIN")
def test_a_forked_process_takes_turns_with_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    subprocess.run([sys.executable, "-c", FORK, str(path)], check=True, timeout=60)
    report = verify(lines_of(path))
    assert report.problems == []
    assert report.last
    assert report.last.seq == 1 + 2 * 200 * 3
