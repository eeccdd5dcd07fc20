"""The edge reloaded again and again, with a new certificate, with a broken configuration, and with a full disk."""

import os
import re
import signal
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.authorization import AuthorizationServer
from tests.faults.conftest import Measure
from tests.faults.ground import Ground, ground
from tests.faults.load import OpenLoad
from tests.security.test_blocked_sinks import small_disk
from tests.support.certificates import Authority
from tests.support.until import until

RELOADS = 20

pytestmark = pytest.mark.requirement("FAULT-EDGE")


def reached(place: Ground, request_ids: list[str]) -> list[str]:
    """Return which of these requests the service saw."""
    log = place.service.log.read_text(encoding="utf-8")
    return [request_id for request_id in request_ids if f'"{request_id}"' in log]


def test_reloads(place: Ground, drill: Measure) -> None:
    measure = drill("edge-reloads")
    with place.load() as load:
        load.more(100)
        for _ in range(RELOADS):
            place.edge.reload()
            load.more(10)
    statuses = load.statuses()
    # Before Nginx 1.27.4 a reload may end a kept connection at the moment a call is written into it. The caller sees
    # the end before any answer, and the call did not reach the service: to send it again is safe.
    ended = [call.request_id for call in load.calls if call.outcome == "ended"]
    assert reached(place, ended) == []
    measure.measured(failed=load.failed() - statuses["ended"], ended=statuses["ended"], reloads=RELOADS)


def test_new_certificate(place: Ground, drill: Measure, folder: Path) -> None:
    measure, edge, old = drill("certificate-renewed"), place.edge, served(place)
    before = {name: (edge.folder / name).read_bytes() for name in ("tls.crt", "tls.key")}
    authority, trusted = Authority(folder), folder / "both.pem"
    trusted.write_bytes(before["tls.crt"] + authority.file.read_bytes())
    with OpenLoad(replace(place.target, authority=trusted), place.keycloak.token()) as load:
        load.more(100)
        begin = time.monotonic()
        chain = authority.chain().read_bytes()  # the key as well
        for name in before:
            _put(edge.folder / name, chain)
        edge.reload()
        until(lambda: served(place) != old, 60, "the new certificate is served")
        served_s = time.monotonic() - begin
        load.more(200)
        for name, content in before.items():
            _put(edge.folder / name, content)
        edge.reload()
        load.more(50)
    statuses = load.statuses()
    measure.measured(failed=load.failed() - statuses["ended"], ended=statuses["ended"], served_s=served_s)


def _put(file: Path, content: bytes) -> None:
    """Replace a file as a whole, as the renewal does."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(file)


def served(place: Ground) -> str:
    """Return the certificate that the edge shows."""
    return ssl.get_server_certificate(("localhost", place.target.port))


def test_a_broken_configuration_is_not_loaded(place: Ground, drill: Measure) -> None:
    measure, file = drill("edge-broken-configuration"), place.edge.folder / "mcp.conf"
    good, workers = file.read_text(encoding="utf-8"), place.edge.working()
    with place.load() as load:
        file.write_text(good + "\nnonsense;\n", encoding="utf-8")
        try:
            place.edge.master.send_signal(signal.SIGHUP)
            told = re.compile(r"\[emerg\].*nonsense")
            until(lambda: told.search(place.edge.errors.read_text(encoding="utf-8")), 30, "Nginx says what is wrong")
            load.more(200)
        finally:
            file.write_text(good, encoding="utf-8")
    assert place.edge.working() == workers
    measure.measured(failed=load.failed())


def test_full_log_disk(
    authorization_server: AuthorizationServer, redis_port: int, drill: Measure, folder: Path
) -> None:
    """64 KiB for the log of the edge and the audit file of the service: full after a few calls."""
    measure = drill("log-disk-full")
    with small_disk(folder / "disk") as disk:
        settings = {"AUDIT_SINKS": "stdout,file", "AUDIT_FILE": str(disk / "audit.jsonl")}
        values = {"access_log": str(disk / "access.log")}
        with ground(authorization_server, redis_port, folder, values=values, **settings) as place:
            with place.load() as load:
                load.more(200)
                until(lambda: _full(disk), 30, "the disk is full")
                begin = time.monotonic()
                load.more(500)
            assert place.ready()
    measure.measured(failed=load.failed(), p99_ms=load.p99_ms(begin), p99_before_ms=load.p99_ms(before=begin))


def _full(disk: Path) -> bool:
    return os.statvfs(disk).f_bavail == 0
