"""A full disk, a pipe that nobody reads, a collector that hangs: calls go on, and what is lost is counted."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ops.audit_lines import file_lines
from service.telemetry.chain import verify
from tests.security.draft import Draft
from tests.security.issuer import FakeIssuer
from tests.security.kinds import ECHO, HANDSHAKE, JSON
from tests.security.system import Service, free_port, service
from tests.support.exposition import scrape, total
from tests.support.until import until

pytestmark = pytest.mark.requirement("LOG-NONBLOCKING")

CALLS = 500


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 64 KiB; skip the test where nobody may mount one."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "small", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        yield listener.getsockname()[1]


def call_all(running: Service, count: int = CALLS) -> list[float]:
    """Call a tool again and again; every call must be answered. Returns the seconds that each took."""
    draft = Draft("ES256", running.world)
    headers = {**HANDSHAKE, **JSON, "Authorization": f"Bearer {draft.token()}"}
    with httpx.Client(trust_env=False, timeout=10, headers=headers) as client:
        answers = [client.post(f"{running.origin}/mcp", content=ECHO) for _ in range(count)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.elapsed.total_seconds() for answer in answers]


def test_a_full_disk_and_a_collector_that_hangs(issuer: FakeIssuer, tmp_path: Path) -> None:
    port = free_port()
    with small_disk(tmp_path / "disk") as disk, silent_server() as hangs, Path("/dev/full").open("wb") as full:
        settings = {
            "AUDIT_SINKS": "stdout,file,syslog,otlp",
            "AUDIT_FILE": str(disk / "audit.jsonl"),
            "AUDIT_SYSLOG": str(tmp_path / "nobody"),
            "OTLP_ENDPOINT": f"http://127.0.0.1:{hangs}",
            "TRACE_RATIO": "1",
            "MANAGEMENT_PORT": str(port),
        }
        with service(issuer.issuer("shared"), tmp_path, output=full, **settings) as running:
            call_all(running)

            def counted(**labels: str) -> float:
                return total(scrape(f"http://127.0.0.1:{port}/metrics"), "secure_mcp_log_lines_total", **labels)

            def lost(sink: str) -> float:
                return counted(sink=sink, outcome="dropped")

            until(lambda: lost("stdout") >= 2 * CALLS, 20, "every line of the log to be counted as lost")
            until(lambda: lost("audit_syslog") == CALLS, 20, "every datagram to be counted as lost")
            until(lambda: lost("audit_file") > 0, 20, "what the disk did not take to be counted")
            until(lambda: lost("audit_otlp") > 0 and lost("traces") > 0, 60, "what the collector did not take")
            call_all(running, 20)
            until(lambda: counted(sink="audit_file") == CALLS + 20, 10, "the file to have been offered every line")
            written = list(file_lines(disk / "audit.jsonl"))
            assert verify(written).problems == []
            assert 50 < len(written) < CALLS
            # There is room again: the chain goes on and says how many lines are missing.
            file = disk / "audit.jsonl"
            os.truncate(file, 0)
            call_all(running, 1)
            until(lambda: any("audit_gap" in line for line in file_lines(file)), 10, "the gap")

            def accounted() -> int:
                entries = [json.loads(line) for line in (*written, *file_lines(file))]
                return sum(entry.get("lost", 1) for entry in entries)

            until(lambda: accounted() == CALLS + 20 + 1, 10, f"every call to be a line or a lost one: {accounted()}")


def test_a_pipe_that_nobody_reads(issuer: FakeIssuer, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    try:
        with service(issuer.issuer("shared"), tmp_path, output=writer) as running:
            quick = sorted(call_all(running, 50))
            blocked = sorted(call_all(running))  # fills the pipe several times over
            assert blocked[len(blocked) // 2] < 10 * max(quick[len(quick) // 2], 0.002)
            assert running.status("/readyz") == 200
    finally:
        os.close(writer)
        os.close(reader)
