"""ops.processes: a process is known again, a stale pid file names none, nothing survives a stop."""

import json
import os
import sys
import time

import psutil
import pytest

from ops.errors import ExitCode, OperatorError
from ops.processes import ServerProcess

# A parent that ignores TERM once asked to, and a child that lives in the same group.
_PARENT = """
import signal, subprocess, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def server(tmp_path):
    server = ServerProcess("Test", tmp_path / "log", tmp_path / "run" / "test.pid.json")
    yield server
    server.stop(grace_s=1)


def launch(server, *arguments):
    """Start the parent and return the pid of its child."""
    server.launch([sys.executable, "-c", _PARENT, *arguments], os.environ, server.log.parent)
    server.wait_until(lambda: server.log.exists() and server.log.read_text().strip().isdecimal(), 20)
    return int(server.log.read_text())


def gone(pid):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_another_object_finds_and_stops_the_whole_group(server):
    child = launch(server)
    again = ServerProcess("Test", server.log, server.pid_file)
    assert again.pid == server.pid is not None
    parent = again.pid
    assert again.stop() is True
    assert gone(parent)
    assert gone(child)
    assert not server.pid_file.exists()


def test_who_ignores_term_is_killed(server):
    child = launch(server, "stubborn")
    assert server.stop(grace_s=0.3) is True
    assert server.pid is None
    assert gone(child)


def test_child_is_found_when_its_parent_died(server):
    child = launch(server)
    psutil.Process(server.pid).kill()
    server._child.wait()
    assert server.pid is not None
    assert server.stop() is True
    assert gone(child)


def test_pid_of_a_later_process_is_left_alone(server):
    server.pid_file.parent.mkdir()
    server.pid_file.write_text(json.dumps({"pid": os.getpid(), "created": 1.0}))
    assert server.pid is None
    assert server.stop() is False
    assert not server.pid_file.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}'])
def test_half_written_pid_file_names_no_process(server, text):
    server.pid_file.parent.mkdir()
    server.pid_file.write_text(text)
    assert server.pid is None


def test_end_while_starting_shows_the_last_words(server):
    program = "print('ERROR: no such realm'); raise SystemExit(3)"
    server.launch([sys.executable, "-c", program], os.environ, server.log.parent)
    with pytest.raises(OperatorError, match="no such realm") as failed:
        server.wait_until(lambda: False, 20)
    assert failed.value.code is ExitCode.UNREACHABLE
