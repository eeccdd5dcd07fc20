"""Workers killed, replaced and starved; the service restarted while it is called."""

import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.faults.authorization import AuthorizationServer
from tests.faults.conftest import Measure
from tests.faults.ground import WORKERS, Ground, ground
from tests.support.until import until

RESTARTS = 10
SPARE_DESCRIPTORS = 20
HELD = 120

pytestmark = pytest.mark.requirement("FAULT-SERVICE")


def test_worker_killed(place: Ground, drill: Measure) -> None:
    measure, before = drill("worker-killed"), {worker.pid for worker in place.service.workers()}
    with place.load() as load:
        load.more(200)
        killed = time.monotonic()
        place.service.workers()[0].kill()
        until(lambda: len({worker.pid for worker in place.service.workers()} - before) == 1, 60, "another worker")
        load.more(200)
    assert set(load.statuses()) <= {"200", "502"}, load.statuses()
    measure.measured(failed=load.failed(), wrong=load.statuses()["wrong"], back_s=load.back_after(killed))


def test_workers_replaced(place: Ground, drill: Measure) -> None:
    """SIGHUP to gunicorn: new workers, then the old ones drain. Secrets in files are read anew."""
    measure, master = drill("workers-replaced"), place.service.master
    with place.load() as load:
        for _ in range(RESTARTS):
            started = place.service.events("service_started")
            old = {worker.pid for worker in place.service.workers()}
            master.send_signal(signal.SIGHUP)
            until(lambda old=old: _only_new(place, old), 120, "only new workers")
            serving = started + WORKERS
            until(lambda n=serving: place.service.events("service_started") >= n, 120, "they serve")
            load.more(20)
    measure.measured(failed=load.failed(), replaced=RESTARTS * WORKERS)


def _only_new(place: Ground, old: set[int]) -> bool:
    now = {worker.pid for worker in place.service.workers()}
    return len(now) == WORKERS and not now & old


def test_rolling_restarts(
    authorization_server: AuthorizationServer, redis_port: int, drill: Measure, folder: Path
) -> None:
    """A new gunicorn beside the old one on the same socket (SIGUSR2), then the old one drains (SIGTERM)."""
    measure = drill("service-rolling-restarts")
    with ExitStack() as closing:
        place = closing.enter_context(ground(authorization_server, redis_port, folder))
        master = place.service.master
        with place.load() as load:
            for restart in range(1, RESTARTS + 1):
                master.send_signal(signal.SIGUSR2)
                until(lambda master=master: _successor(master), 60, "a new master")
                successor = _successor(master)
                assert successor
                closing.callback(_end, successor)
                started = place.service.events("service_started")
                until(lambda next_=successor: len(next_.children()) == WORKERS, 60, "its workers")
                until(lambda n=started: place.service.events("service_started") >= n, 60, "they serve")
                load.more(50)
                master.send_signal(signal.SIGTERM)
                until(lambda master=master: not _lives(master), 60, "the old one has drained")
                # Until it has noticed that it is alone, a master refuses to be followed.
                until(lambda n=restart: place.service.says("Master has been promoted") == n, 60, "it is the only one")
                master = successor
            load.more(50)
        closing.callback(_end, master)
    measure.measured(failed=load.failed(), restarts=RESTARTS)


def _successor(master: psutil.Process) -> psutil.Process | None:
    """Return the master that another one started: its child that has children or runs gunicorn anew."""
    workers = {child.pid for child in master.children()}
    return next((psutil.Process(pid) for pid in workers if _is_master(pid, master.pid)), None)


def _is_master(pid: int, parent: int) -> bool:
    try:
        environment = psutil.Process(pid).environ()
    except psutil.Error:
        return False
    return environment.get("GUNICORN_PID") == str(parent)


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _end(process: psutil.Process) -> None:
    if _lives(process):
        process.terminate()
        until(lambda: not _lives(process), 60, "the last master has ended")


def test_stopped_and_started(place: Ground, drill: Measure) -> None:
    """The whole service is away for a moment, as while its container is replaced."""
    measure = drill("service-restarted")
    with place.load() as load:
        load.more(100)
        begin = time.monotonic()
        place.service.stop()
        load.more(100)
        refused = place.get("/api/v1/tools")
        assert (refused.status_code, refused.headers["retry-after"]) == (502, "5")
        place.service.start()
        until(place.ready, 60, "the service is ready")
        ready = time.monotonic()
        load.well_again()
    assert set(load.statuses()) <= {"200", "502"}, load.statuses()
    measure.measured(back_s=load.back_after(ready), away_s=ready - begin, unauthorized=load.statuses()["401"])


def test_descriptors(authorization_server: AuthorizationServer, redis_port: int, drill: Measure, folder: Path) -> None:
    """Calls that are never finished take every descriptor of both workers; those who let go are followed by order."""
    measure = drill("descriptors")
    with ground(authorization_server, redis_port, folder) as place, ExitStack() as held:
        workers = place.service.workers()
        for worker in workers:
            limit = worker.num_fds() + SPARE_DESCRIPTORS
            worker.rlimit(psutil.RLIMIT_NOFILE, (limit, limit))
        with place.load() as load:
            load.more(50)
            token = place.keycloak.token()
            for _ in range(HELD):
                held.enter_context(_half_a_call(place, token))
            load.more(200)
            released = time.monotonic()
            held.close()
            load.well_again(100)
        assert {worker.pid for worker in place.service.workers()} == {worker.pid for worker in workers}
        assert place.ready()
    assert set(load.statuses()) <= {"200", "502", "503", "504", "no answer in time"}, load.statuses()
    measure.measured(
        wrong=load.statuses()["wrong"], unauthorized=load.statuses()["401"],
        refused=load.failed(), back_s=load.back_after(released),
    )  # fmt: skip


def _half_a_call(place: Ground, token: str) -> socket.socket:
    """Begin a call through the edge and keep the rest of its body."""
    plain = socket.create_connection(("127.0.0.1", place.target.port), 30)
    secured = place.edge.trust.wrap_socket(plain, server_hostname=place.target.host)
    head = f"POST /api/v1/tools/echo HTTP/1.1\r\nHost: {place.target.host}:{place.target.port}\r\n"
    head += f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    secured.sendall(head.encode() + b"{")
    return secured
