"""A drill: the real Prometheus asks a running service; alerts fire for their cause, reach Alertmanager, and clear.

SlowCalls is left to promtool, for no tool is slow. A minute of the alerts is a second here. What it cannot be made to
suffer in a test (a login, a disk, a certificate) is shown by a server of the drill in the words of the exporter.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.security.conftest import REALM
from tests.security.draft import Draft
from tests.security.issuer import FakeIssuer, serving
from tests.security.keyring import published
from tests.security.kinds import ECHO, HANDSHAKE, JSON
from tests.security.system import Service, free_port, service
from tests.security.test_metrics import worker_pids
from tests.support.monitoring import Monitoring, Numbers, monitoring, numbers, quickened
from tests.support.redis_server import redis_server
from tests.support.until import until

pytestmark = pytest.mark.requirement("ALERTS")
WITHIN_S = 60


@dataclass
class Drill:
    """What the drill can break."""

    service: Service
    issuer: FakeIssuer
    monitoring: Monitoring
    node: Numbers
    keycloak: Numbers
    stores: Numbers
    redis_folder: Path
    redis_url: str
    audit_folder: Path

    def call(self, kid: str = "ES256") -> int:
        draft = Draft("ES256", self.service.world)
        draft.header["kid"] = kid
        headers = {**HANDSHAKE, **JSON, "Authorization": f"Bearer {draft.token()}"}
        return httpx.post(
            f"{self.service.origin}/mcp", content=ECHO, headers=headers, trust_env=False, timeout=30
        ).status_code

    def fires(self, name: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        until(lambda: (meanwhile(), name in self.monitoring.firing())[1], WITHIN_S, f"{name} to fire")

    def clears(self, name: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        until(lambda: (meanwhile(), name not in self.monitoring.firing())[1], WITHIN_S, f"{name} to clear")


def in_order(**changes: float) -> str:
    """Return what `secure-mcp metrics` says where all is well, with changes."""
    now = time.time()
    values = {"timestamp_seconds": now, "backup_timestamp_seconds": now, "drift": 0, **changes}
    lines = [f"secure_mcp_operator_{name} {value}" for name, value in values.items() if name not in {"ends", "free"}]
    lines.append(f'secure_mcp_operator_certificate_not_before_seconds{{host="h"}} {now - 6_000_000}')
    lines.append(
        f'secure_mcp_operator_certificate_not_after_seconds{{host="h"}} {now + changes.get("ends", 5_000_000)}'
    )
    lines.append(f'secure_mcp_operator_disk_free_ratio{{path="/p"}} {changes.get("free", 0.5)}')
    return "\n".join(lines) + "\n"


def stores_say(evicted: float = 0, up: int = 1, connections: int = 10) -> str:
    """Return what the exporters of Redis and PostgreSQL say where all is well, with changes."""
    return (
        f"redis_evicted_keys_total {evicted:.0f}\npg_up {up}\n"
        f'pg_stat_activity_count{{state="idle"}} {connections}\npg_settings_max_connections 60\n'
    )


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("drill")
    for name in ("audit", "redis", "monitoring"):
        (folder / name).mkdir()
    port = free_port()
    settings = {
        "MANAGEMENT_PORT": str(port),
        "JWKS_TTL_SECONDS": "2",
        "AUDIT_SINKS": "stdout,file",
        "AUDIT_FILE": str(folder / "audit" / "audit.jsonl"),
    }
    with (
        serving(FakeIssuer()) as issuer,
        redis_server(folder / "redis") as url,
        numbers() as node,
        numbers() as keycloak,
        numbers() as stores,
    ):
        issuer.realms[REALM] = list(published())
        node.text, keycloak.text, stores.text = in_order(), "keycloak_up 1\n", stores_say()
        with (
            service(issuer.issuer(REALM), folder, REDIS_URL=url, **settings) as running,
            monitoring(
                folder / "monitoring",
                service=f"127.0.0.1:{port}",
                keycloak=keycloak.target,
                nginx=node.target,
                redis=stores.target,
                postgres=stores.target,
                node=node.target,
            ) as pair,
        ):
            yield Drill(running, issuer, pair, node, keycloak, stores, folder / "redis", url, folder / "audit")


def test_the_quick_alerts_are_the_alerts(drill: Drill) -> None:
    text = "expr: rate(x[5m]) > 1 and rate(x[1h] offset 10m) > 900\n  for: 5m\nexpr: time() - x > 26 * 3600\n"
    assert (
        quickened(text) == "expr: rate(x[5s]) > 1 and rate(x[1m] offset 10s) > 15\n  for: 5s\nexpr: time() - x > 1560\n"
    )


def test_all_is_quiet_where_all_is_well(drill: Drill) -> None:
    until(lambda: drill.monitoring.query("count(up == 1)") and drill.call() == 200, 30, "the first scrape")
    until(lambda: float(drill.monitoring.query("count(up == 1)")[0]["value"][1]) == 6, 30, "every target to be up")
    until(lambda: not drill.monitoring.firing(), WITHIN_S, "quiet")


@pytest.mark.parametrize(
    ("alert", "change"),
    [
        ("CertificateExpires", {"ends": 1_900_000}),
        ("BackupTooOld", {"backup_timestamp_seconds": 0}),
        ("RealmDrift", {"drift": 1}),
        ("DiskFull", {"free": 0.05}),
        ("OperatorMetricsOld", {"timestamp_seconds": 0}),
    ],
)
def test_what_the_operator_s_machine_says(drill: Drill, alert: str, change: dict[str, float]) -> None:
    drill.node.text = in_order(**change)
    try:
        drill.fires(alert)
    finally:
        drill.node.text = in_order()
    drill.clears(alert)


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        ("PostgresDown", stores_say(up=0)),
        ("PostgresConnections", stores_say(connections=50)),
        ("ExporterDown", "no metrics {"),
    ],
)
def test_what_the_exporters_of_the_stores_say(drill: Drill, alert: str, said: str) -> None:
    drill.stores.text = said
    try:
        drill.fires(alert)
    finally:
        drill.stores.text = stores_say()
    drill.clears(alert)


def test_redis_throws_keys_away(drill: Drill) -> None:
    begin = time.monotonic()

    def full() -> None:
        drill.stores.text = stores_say(evicted=10 * (time.monotonic() - begin))

    drill.fires("RedisEvicts", full)
    drill.clears("RedisEvicts")
    drill.stores.text = stores_say()


def test_refusals(drill: Drill) -> None:
    drill.fires("RefusalsSurge", lambda: [httpx.post(f"{drill.service.origin}/mcp", trust_env=False) for _ in range(5)])
    drill.clears("RefusalsSurge")


def test_keycloak_away(drill: Drill) -> None:
    drill.issuer.down = True
    try:
        drill.fires("JwksStale")
        drill.fires("ServerErrors", lambda: drill.call(kid="nobody-knows"))
    finally:
        drill.issuer.down = False
    drill.clears("JwksStale")
    drill.clears("ServerErrors", drill.call)


def test_logins_and_keycloak_itself(drill: Drill) -> None:
    begin = time.monotonic()
    name = 'keycloak_user_events_total{event="login",error="invalid_user_credentials"}'

    def guess() -> None:
        drill.keycloak.text = f"{name} {10 * (time.monotonic() - begin):.0f}\n"

    drill.fires("LoginFailures", guess)
    drill.clears("LoginFailures")
    drill.keycloak.text = "no metrics {"
    try:
        drill.fires("KeycloakDown")
    finally:
        drill.keycloak.text = "keycloak_up 1\n"
    drill.clears("KeycloakDown")


def test_redis_away(drill: Drill) -> None:
    port = drill.redis_url.rpartition(":")[2].partition("/")[0]
    program = shutil.which("redis-cli")
    assert program
    subprocess.run([program, "-p", port, "shutdown", "nosave"], check=False, capture_output=True)
    drill.fires("RedisDown")
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", str(drill.redis_folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as again:
        try:
            drill.clears("RedisDown")
        finally:
            again.terminate()


def test_audit_lines_lost(drill: Drill) -> None:
    moved = drill.audit_folder.with_name("moved")
    drill.audit_folder.rename(moved)
    drill.fires("LogLinesLost", drill.call)
    moved.rename(drill.audit_folder)
    drill.clears("LogLinesLost", drill.call)


def test_the_service_stands_still(drill: Drill) -> None:
    (worker,) = worker_pids(int(drill.service.origin.rpartition(":")[2]))
    os.kill(worker, signal.SIGSTOP)
    try:
        drill.fires("ServiceDown")
    finally:
        os.kill(worker, signal.SIGCONT)
    drill.clears("ServiceDown")
