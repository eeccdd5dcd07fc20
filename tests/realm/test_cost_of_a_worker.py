"""What a start and a worker cost: CPU time until it is ready, memory that a worker shares with no other."""

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.fixtures import ServiceStarter
from tests.support.http import HANDSHAKE, MODERN, Service, bearer, message
from tests.support.realm import Stack
from tests.support.redis_server import redis_server
from tests.support.until import until

WORKERS = 2
READY_S = 120  # on a busy machine
# Seconds of CPU until ready. A quiet core needs half of it: cores that are shared by others count their waiting, too.
START_CPU_S = 8.0
WORKER_MIB = 90
CALLS = 400

pytestmark = pytest.mark.requirement("SERVICE-COST")


@pytest.fixture(scope="module")
def warm(
    stack: Stack, start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, float]]:
    """A service whose keys were in Redis when it started, and the CPU time until it was ready, in seconds."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        settings = {"SECURE_MCP_REDIS_URL": url, "SECURE_MCP_WORKERS": str(WORKERS)}
        with start_service(**settings) as first:
            first.process.wait_ready(READY_S)
        with start_service(**settings) as service:
            until(lambda: events(service, "service_started") == WORKERS, READY_S, "both workers serve")
            service.process.wait_ready(READY_S)
            yield service, sum(sum(process.cpu_times()[:2]) for process in processes(service))


def events(service: Service, name: str) -> int:
    """Count the lines of the log with an event."""
    return service.process.log.read_text(encoding="utf-8").count(f'"event": "{name}"')


def processes(service: Service) -> list[psutil.Process]:
    """Return gunicorn's first process and the workers."""
    assert service.process.pid
    master = psutil.Process(service.process.pid)
    return [master, *master.children()]


def private_mib(process: psutil.Process) -> float:
    """Return what is a process's own and shared with no other."""
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(size) for size in re.findall(r"^Private_\w+: +(\d+) kB", text, re.MULTILINE)) / 1024


def test_a_start_with_warm_keys_costs_little(warm: tuple[Service, float]) -> None:
    _, seconds = warm
    print(f"CPU of master and {WORKERS} workers until ready: {seconds:.1f} s")
    assert seconds <= START_CPU_S


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_more_costs_little_memory(warm: tuple[Service, float], stack: Stack) -> None:
    service, _ = warm
    token, host = stack.token_for("mcp-reader"), httpx.URL(stack.public_url).netloc.decode()

    def call(number: int) -> int:
        """Ask in one of the ways: a call or a listing of either protocol, or the REST view."""
        version = (MODERN, HANDSHAKE)[number % 2]
        echo = {"name": "echo", "arguments": {"text": "x"}}
        body, headers = message("tools/call", echo, version) if number % 3 else message("tools/list", {}, version)
        path, content = ("/api/v1/tools/echo", {"text": "x"}) if number % 4 == 3 else ("/mcp", body)
        headers = {**headers, **bearer(token), "Host": host}
        answer = httpx.post(f"{service.url}{path}", json=content, headers=headers, trust_env=False, timeout=60)
        return answer.status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(call, range(CALLS))) == {200}
    _, *workers = processes(service)
    sizes = [private_mib(worker) for worker in workers]
    print(f"private memory of each worker: {', '.join(f'{size:.0f} MiB' for size in sizes)}")
    assert len(sizes) == WORKERS
    assert max(sizes) <= WORKER_MIB
