"""Keycloak away, sick, dead and reborn: calls with a live token go on, and an outage is never a 401."""

import time
from pathlib import Path

import psutil
import pytest
import redis

from tests.faults.authorization import AuthorizationServer
from tests.faults.conftest import Measure
from tests.faults.drills import LONG
from tests.faults.ground import Ground, ground
from tests.faults.toxic import Mode
from tests.support.until import until

DOWN_S = 240 if LONG else 25  # a token lives for 300 s, and Keycloak takes up to a minute to start
SICK_CALLS = 3000 if LONG else 500
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

pytestmark = pytest.mark.requirement("FAULT-KEYCLOAK")


def test_down_at_start(
    authorization_server: AuthorizationServer, redis_port: int, store: redis.Redis, drill: Measure, folder: Path
) -> None:
    store.flushall()  # or the service would take the keys that another one left there
    measure, token = drill("keycloak-down-at-start"), authorization_server.token()
    with ground(authorization_server, redis_port, folder, keycloak_down=True) as place:
        workers = {worker.pid for worker in place.service.workers()}
        refused = place.get("/api/v1/tools", token)
        assert (refused.status_code, place.service.status("/readyz")) == (503, 503)
        assert int(refused.headers["retry-after"]) > 0
        with place.load(token) as load:
            load.more(200)
            back = time.monotonic()
            place.to_keycloak.be("pass")
            load.well_again()
        assert place.ready()
        restarts = len({worker.pid for worker in place.service.workers()} - workers)
    assert load.ended_before(back) == {"503"}
    assert set(load.statuses()) == {"200", "503"}, load.statuses()
    measure.measured(unauthorized=load.statuses()["401"], back_s=load.back_after(back), restarts=restarts)


def test_killed(well: Ground, drill: Measure) -> None:
    measure = drill("keycloak-killed")
    with well.load() as load:
        load.more(200)
        killed = time.monotonic()
        well.keycloak.kill()
        load.more(500)
        assert not well.keycloak.answers()
        assert well.ready()
        until(lambda: time.monotonic() > killed + DOWN_S - 15, DOWN_S, "the outage is long enough")
        begun = time.monotonic()
        well.keycloak.start()
        well.keycloak.wait()
        load.more(200)
        down_s = time.monotonic() - killed
    # A login of before the crash and one of after it are both good.
    assert well.judges(well.keycloak.token()) == 200
    measure.measured(
        failed=load.failed(), unauthorized=load.statuses()["401"], down_s=down_s, login_back_s=down_s + killed - begun
    )


@pytest.mark.parametrize(
    ("mode", "answer"),
    [("slow", b""), ("blackhole", b""), ("reset", b""), ("drip", b""), ("answer", UNAVAILABLE), ("answer", HTML)],
    ids=["slow", "blackhole", "reset", "drip", "503", "html"],
)
def test_sick(well: Ground, drill: Measure, request: pytest.FixtureRequest, mode: Mode, answer: bytes) -> None:
    measure = drill(f"keycloak-{request.node.callspec.id}")
    failed = well.service.events("jwks_fetch_failed")
    with well.load() as load:
        load.more(100)
        begin = time.monotonic()
        well.to_keycloak.be(mode, seconds=30, answer=answer)
        until(lambda: well.service.events("jwks_fetch_failed") >= failed + 2, 60, "two failed renewals")
        first_failure_s = time.monotonic() - begin
        load.more(SICK_CALLS)
        connections = sum(
            connection.raddr and connection.raddr.port == well.to_keycloak.port
            for worker in well.service.workers()
            for connection in worker.net_connections()
            if connection.status == psutil.CONN_ESTABLISHED
        )
        assert well.ready()
        end = time.monotonic()
        well.to_keycloak.be("pass")
        load.more(100)
    measure.measured(
        failed=load.failed(),
        unauthorized=load.statuses()["401"],
        connections=connections,
        given_up_s=first_failure_s,
        p99_ms=load.p99_ms(begin, end),
        p99_before_ms=load.p99_ms(before=begin),
    )


def test_back_with_new_keys(well: Ground, drill: Measure) -> None:
    measure, old = drill("keycloak-new-keys"), well.keycloak.token()
    with well.load(old) as load:
        load.more(100)
        well.keycloak.kill()
        well.keycloak.forget()
        well.keycloak.start()
        well.keycloak.wait()
        back = time.monotonic()
        new = well.keycloak.token()
        load.use(new)
        until(lambda: well.judges(new) == 200, 60, "a new token is good")
        until(lambda: well.judges(old) == 401, 60, "an old token is refused")
        recovered = time.monotonic()
        load.more(200)
    assert set(load.statuses()) <= {"200", "401"}, load.statuses()
    # The old token is refused as soon as the new keys are known, which may be before the load shows the new one.
    assert load.failed(since=back + 0.5) == 0, load.statuses(since=back + 0.5)
    measure.measured(server_errors=load.failed() - load.statuses()["401"], back_s=recovered - back)
