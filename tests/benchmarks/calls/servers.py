"""Servers as processes of their own, and the CPU time that they use."""

import os
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import psutil

from tests.support.relay import free_port
from tests.support.until import until

ROOT = Path(__file__).parents[3]
START_SECONDS = 180
_OURS = ("gunicorn", "-c", "service/gunicorn_conf.py")
OURS = (*_OURS, "service.app:create_app()")
OURS_MANY = (*_OURS, "tests.benchmarks.calls.many_tools:create_app()")


@dataclass(frozen=True)
class Server:
    """A server that was started. The process may have children."""

    origin: str
    process: subprocess.Popen[bytes]
    log: Path

    def processes(self) -> list[psutil.Process]:
        """Return the process and all below it."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def wait(self, path: str, wanted: Container[int]) -> None:
        """Wait until the server answers.

        Args:
            path: what is asked.
            wanted: a status that will do.
        """

        def answers() -> bool:
            assert self.process.poll() is None, f"{self.log.name} ended: {self.log.read_text()[-2000:]}"
            try:
                return httpx.get(f"{self.origin}{path}", timeout=5, trust_env=False).status_code in wanted
            except httpx.TransportError:
                return False

        until(answers, START_SECONDS, f"{self.log.stem} to answer; its log: {self.log}")

    def cpu_seconds(self) -> float:
        """Return the CPU time so far: user and system, of every thread, those that ended as well."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes())


@contextmanager
def process(
    command: list[str], environment: Mapping[str, str], log: Path, port: int, stdout: IO[bytes] | None = None
) -> Iterator[Server]:
    """Run a server for the block; it may not answer yet when the block begins.

    Args:
        command: its arguments after `python -m`.
        environment: variables besides those of this process; SECURE_MCP_* of this process are not passed on.
        log: where it writes.
        port: where it listens.
        stdout: where its standard output goes instead of the log.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_MCP_")}
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=inherited | environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout or output,
            stderr=output,
        )
    try:
        yield Server(f"http://localhost:{port}", started, log)
    finally:
        started.terminate()
        started.wait(START_SECONDS)


@contextmanager
def uvicorn(factory: str, name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a factory of peers/ under uvicorn: one process, uvloop, httptools, no access log.

    Args:
        factory: module and name.
        name: for the log file.
        folder: for the log file.
        environment: variables of peers/.
    """
    port = free_port()
    command = ["uvicorn", f"tests.benchmarks.calls.peers.{factory}", "--factory", "--loop", "uvloop"]
    command += ["--http", "httptools", "--no-access-log", "--log-level", "error", "--port", str(port)]
    own = {**environment, "BENCH_AUDIENCE": f"http://localhost:{port}/mcp"}
    with process(command, own, folder / f"{name}.log", port) as server:
        yield server


@contextmanager
def ours(
    command: tuple[str, ...],
    name: str,
    folder: Path,
    issuer: str,
    environment: Mapping[str, str] | None = None,
    stdout: IO[bytes] | None = None,
) -> Iterator[Server]:
    """Run the service as in production: gunicorn, log and audit trail into a file, metrics on.

    Args:
        command: `OURS` or `OURS_MANY`.
        name: for the log file.
        folder: for the log file.
        issuer: its authorization server.
        environment: further variables.
        stdout: where its standard output goes instead of the log.
    """
    port = free_port()
    own = {
        "SECURE_MCP_AUDIENCE": f"http://localhost:{port}/mcp",
        "SECURE_MCP_ISSUER": issuer,
        "SECURE_MCP_PORT": str(port),
        "SECURE_MCP_MANAGEMENT_PORT": str(free_port()),
        **(environment or {}),
    }
    with process(list(command), own, folder / f"{name}.log", port, stdout) as server:
        yield server
