"""Lines on their way out: in order, never waited for, and counted where they are lost."""

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from service.telemetry.outlet import Outlet, outlets
from service.telemetry.syslog import Syslog
from tests.support.until import until


@pytest.mark.requirement("LOG-NONBLOCKING")
def test_lines_come_out_in_order_and_many_at_once() -> None:
    batches: list[list[str]] = []

    def write(lines: Sequence[str]) -> int:
        batches.append(list(lines))
        return 0

    outlet = Outlet("test", write)
    for number in range(2000):
        outlet.put(str(number))
    assert outlet.flush()
    assert [line for batch in batches for line in batch] == [str(number) for number in range(2000)]
    assert len(batches) < 200
    assert (outlet.written, outlet.dropped) == (2000, 0)
    assert outlet in outlets()


@pytest.mark.requirement("LOG-NONBLOCKING")
def test_a_blocked_writer_costs_lines_and_no_time() -> None:
    free = threading.Event()
    outlet = Outlet("test", lambda _: int(not free.wait(30)), max_lines=100)
    started = time.perf_counter()
    for _ in range(10_000):
        outlet.put("x")
    assert time.perf_counter() - started < 1
    assert not outlet.flush(0.01)
    assert outlet.dropped >= 10_000 - 100 - 500  # what waits, and what the writer holds
    free.set()
    assert outlet.flush()
    assert outlet.written + outlet.dropped == 10_000
    outlet.put("x")
    assert outlet.flush()
    assert outlet.written + outlet.dropped == 10_001


@pytest.mark.requirement("LOG-NONBLOCKING")
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), ValueError("of a library's exporter")])
def test_a_writer_that_fails_costs_its_lines_only(error: Exception) -> None:
    answers = iter([error, 2, 0])

    def write(_: Sequence[str]) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    outlet = Outlet("test", write)
    for _ in range(3):
        for _ in range(5):
            outlet.put("x")
        assert outlet.flush()
    assert (outlet.written, outlet.dropped) == (8, 7)


FORK = """
import os
from service.telemetry.stdout import STDOUT
STDOUT.put("parent 1")
child = os.fork()
if not child:
    STDOUT.put("child")
    assert STDOUT.flush()
    assert STDOUT.written == 1
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
STDOUT.put("parent 2")
"""


@pytest.mark.requirement("LOG-NONBLOCKING")
def test_a_forked_worker_begins_anew_and_the_end_of_a_process_flushes() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True, timeout=60)
    assert sorted(done.stdout.splitlines()) == ["child", "parent 1", "parent 2"]


BLOCKED = """
import sys
from service.telemetry.stdout import STDOUT
for number in range(int(sys.argv[1])):
    STDOUT.put("x" * 100)
sys.stderr.write("done\\n")
sys.stderr.flush()
sys.stdin.read()
STDOUT.flush()
sys.stderr.write(f"{STDOUT.written} {STDOUT.dropped}\\n")
"""


@pytest.mark.requirement("LOG-NONBLOCKING")
def test_a_full_pipe_holds_nobody_up_and_no_line_is_torn() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BLOCKED, "50000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        assert process.stdin
        assert process.stdout
        assert process.stderr.readline() == "done\n"  # although nobody has read a byte of its output yet
        process.stdin.close()
        lines = process.stdout.read().splitlines()
        written, dropped = map(int, process.stderr.readline().split())
        assert process.wait(30) == 0
    assert dropped > 0
    assert (written, written + dropped) == (len(lines), 50_000)
    assert set(lines) == {"x" * 100}


@pytest.mark.requirement("LOG-NONBLOCKING")
def test_a_full_disk_costs_lines_and_tears_none() -> None:
    code = 'from service.telemetry.stdout import STDOUT as S; S.put("x"); assert S.flush(); assert S.dropped == 1'
    with Path("/dev/full").open("w") as full:
        assert subprocess.run([sys.executable, "-c", code], stdout=full, check=False, timeout=60).returncode == 0


def test_syslog_gets_rfc_5424(tmp_path: Path) -> None:
    import socket

    target = tmp_path / "log"
    sink = Syslog(str(target))
    line = '{"time": "2026-11-22T10:00:00.000000Z", "event": "access_denied"}'
    assert sink([line]) == 1  # nobody there
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(target))
        assert sink([line, line]) == 0
        text = receiver.recv(4096).decode()
    head, _, body = text.partition(" - ")
    assert head.startswith("<110>1 2026-11-22T10:00:00.000000Z ")
    assert head.endswith(f" secure-mcp {os.getpid()} audit")
    assert body == line
    assert until(lambda: sink([line]) == 1, 5, "the loss to be noticed")
