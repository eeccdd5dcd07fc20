"""Metrics of four workers: they add up, nothing that a stranger writes becomes a label, and callers never see them."""

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from ops.cli import app
from tests.security.draft import Draft
from tests.security.issuer import FakeIssuer
from tests.security.system import Service, free_port, service
from tests.support.exposition import Series, scrape, total
from tests.support.redis_server import redis_server
from tests.support.until import until

WORKERS = 4
HOSTILE_NAMES = 10_000
SCRAPES = 100
SCRAPE_INTERVAL_S = 15
# Of one core, for a scrape every 15 s: 75 ms a scrape, twenty times what a quiet machine needs.
SHARE_OF_A_CORE = 0.005

pytestmark = pytest.mark.requirement("METRICS")


@dataclass(frozen=True)
class Observed:
    """A service of four workers and its management port."""

    service: Service
    management: str

    def series(self) -> Series:
        return scrape(f"{self.management}/metrics")

    def token(self, **claims: object) -> str:
        draft = Draft("ES256", self.service.world)
        draft.claims |= claims
        return draft.token()

    def post(self, connection: http.client.HTTPConnection, token: str, name: str, path: str = "/mcp") -> int:
        params = {"name": name, "arguments": {"text": "x"}}
        body = (
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params} if path == "/mcp" else {"text": "x"}
        )
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.service.host, timeout=30)


@pytest.fixture(scope="module")
def observed(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    folder: Path = tmp_path_factory.mktemp("metrics")
    port = free_port()
    with (
        redis_server(folder) as url,
        service(
            issuer.issuer("shared"), folder, WORKERS=str(WORKERS), REDIS_URL=url, MANAGEMENT_PORT=str(port)
        ) as running,
    ):
        found = Observed(running, f"http://127.0.0.1:{port}")
        until(lambda: total(found.series(), "secure_mcp_ready_workers") == WORKERS, 30, "every worker to be ready")
        yield found


def worker_pids(port: int) -> list[int]:
    """Return the workers of the gunicorn that listens on a port."""
    for process in psutil.process_iter(["cmdline"]):
        if any("gunicorn" in word for word in process.info["cmdline"] or ()) and process.children():
            listening = {entry.laddr.port for entry in process.net_connections("tcp") if entry.status == "LISTEN"}
            if port in listening:
                return [child.pid for child in process.children()]
    return []


def test_the_calls_of_four_workers_add_up(observed: Observed) -> None:
    before = observed.series()
    good = observed.token()
    for _ in range(40):  # a connection each, so that every worker gets some
        connection = observed.connection()
        assert observed.post(connection, good, "echo") == 200
        assert observed.post(connection, good, "echo", "/api/v1/tools/echo") == 200
        assert observed.post(connection, good, "calculate") == 403
        assert observed.post(connection, "", "echo") == 401
        assert observed.post(connection, good[:-8] + "AAAAAAAA", "echo") == 401
        connection.close()

    def grown(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    after = until(lambda: (found := observed.series()) and _all_counted(before, found) and found, 10, "the next beat")
    assert grown("secure_mcp_access_decisions_total", decision="allowed") == 80
    assert (
        grown("secure_mcp_access_decisions_total", decision="denied", reason="insufficient_scope", tool="calculate")
        == 40
    )
    assert grown("secure_mcp_access_decisions_total", reason="no_credentials") == 40
    assert grown("secure_mcp_access_decisions_total", reason="bad_signature") == 40
    assert grown("secure_mcp_http_requests_total", status="200") == 80
    assert grown("secure_mcp_http_requests_total", entrance="mcp", method="POST") == 160
    assert grown("secure_mcp_http_request_duration_seconds_count", tool="echo", entrance="rest") == 40
    assert grown("secure_mcp_token_validations_total", cache="miss") >= 40 + 1  # a bad token is never remembered
    assert total(after, "secure_mcp_workers") == WORKERS


def _decisions(series: Series) -> float:
    return total(series, "secure_mcp_access_decisions_total")


def _all_counted(before: Series, after: Series) -> bool:
    """Whether every worker has published what it counted: that happens once a second."""

    def grown(name: str) -> float:
        return total(after, name) - total(before, name)

    return grown("secure_mcp_token_validations_total") == 160 and grown("secure_mcp_access_decisions_total") == 200


def test_what_is_known_of_keys_redis_and_the_log(observed: Observed) -> None:
    until(lambda: total(observed.series(), "secure_mcp_redis_up") == 1, 30, "every worker to reach Redis")
    series = observed.series()
    assert total(series, "secure_mcp_jwks_keys") > 0
    assert total(series, "secure_mcp_jwks_fetched_timestamp_seconds") > 1_700_000_000
    assert total(series, "secure_mcp_jwks_fetches_total", outcome="success") >= 1
    assert total(series, "secure_mcp_log_lines_total", sink="stdout", outcome="written") > 0
    assert total(series, "secure_mcp_log_lines_total", outcome="dropped") == 0
    assert total(series, "secure_mcp_build_info") == 1
    assert total(series, "secure_mcp_worker_memory_bytes") > WORKERS * 20_000_000
    assert total(series, "secure_mcp_worker_cpu_seconds_total") > 0


def test_ten_thousand_hostile_names_add_no_series(observed: Observed) -> None:
    good = observed.token()

    def stranger(number: int) -> str:
        return observed.token(azp=f"stranger-{number}", sub=f"s{number}", scope=f"mcp:read x{number}")

    def round_of(numbers: range) -> None:
        connections = [observed.connection() for _ in range(WORKERS)]
        for number in numbers:
            connection = connections[number % WORKERS]
            kind = number % 5
            name = f'tool{number}\n{{x="{number}"}}'
            if kind == 0:
                assert observed.post(connection, stranger(number), name) == 200
            elif kind == 1:
                assert observed.post(connection, good, "x", f"/api/v1/tools/t{number}") == 404
            elif kind == 2:
                assert observed.post(connection, "", "x", f"/p{number}") == 401
            elif kind == 3:
                assert observed.post(connection, f"t{number}", name) == 401
            else:
                assert observed.post(connection, good, name) == 200
        for connection in connections:
            connection.close()

    began = _decisions(observed.series())

    def published(number: int) -> set[object]:
        """Return the series once every worker has published what it counted: that happens once a second."""
        found = until(lambda: (now := observed.series()) and _decisions(now) == began + number and now, 30, "the beat")
        return set(found)

    round_of(range(200))
    before = published(200)
    round_of(range(200, HOSTILE_NAMES))
    after = published(HOSTILE_NAMES)
    assert after == before
    assert len(after) < 400


def test_a_scrape_costs_nothing_that_calls_would_feel(observed: Observed) -> None:
    """With the series of ten thousand hostile names before it: CPU of all workers, and whether calls wait for it."""
    workers = [psutil.Process(pid) for pid in worker_pids(int(observed.service.origin.rpartition(":")[2]))]

    def cpu_seconds() -> float:
        return sum(used.user + used.system for used in (worker.cpu_times() for worker in workers))

    observed.series()
    idle_began, idle = time.monotonic(), cpu_seconds()
    until(lambda: time.monotonic() - idle_began > 3, 10, "a while without calls")
    idle_share = (cpu_seconds() - idle) / (time.monotonic() - idle_began)
    began, before = time.monotonic(), cpu_seconds()
    for _ in range(SCRAPES):
        assert httpx.get(f"{observed.management}/metrics", trust_env=False).status_code == 200
    each = (cpu_seconds() - before - idle_share * (time.monotonic() - began)) / SCRAPES
    assert each / SCRAPE_INTERVAL_S < SHARE_OF_A_CORE, f"{each * 1000:.1f} ms of CPU a scrape"


def test_a_worker_that_died_is_counted_out_and_its_calls_stay(observed: Observed) -> None:
    port = int(observed.service.origin.rpartition(":")[2])
    victims = worker_pids(port)
    assert len(victims) == WORKERS
    calls = total(observed.series(), "secure_mcp_http_requests_total")
    os.kill(victims[0], signal.SIGKILL)
    until(lambda: len(set(worker_pids(port)) - set(victims)) == 1, 30, "another worker")
    until(lambda: total(observed.series(), "secure_mcp_ready_workers") == WORKERS, 30, "it to be ready")
    assert total(observed.series(), "secure_mcp_http_requests_total") >= calls


def test_the_level_changes_in_every_worker(observed: Observed) -> None:
    url = f"{observed.management}/log-level"
    before = observed.service.events("log_level_changed")
    assert httpx.put(url, content="loud", trust_env=False).status_code == 422
    assert httpx.put(url, content="x" * 100, trust_env=False).status_code == 422
    assert httpx.put(url, content="error", trust_env=False).text == "error\n"
    assert httpx.put(url, content="debug", trust_env=False).status_code == 200
    until(lambda: observed.service.events("log_level_changed") == before + WORKERS, 10, "each worker to follow")
    assert httpx.put(url, content="info", trust_env=False).status_code == 200
    until(lambda: httpx.get(url, trust_env=False).text == "info\n", 5, "the level")


def test_callers_do_not_see_metrics_and_pages_may_not_ask(observed: Observed) -> None:
    assert httpx.get(f"{observed.service.origin}/metrics", trust_env=False).status_code == 401
    host = observed.management.removeprefix("http://")
    headers = {"Host": host, "Authorization": f"Bearer {observed.token()}"}
    answer = httpx.get(f"{observed.service.origin}/metrics", headers=headers, trust_env=False)
    assert answer.status_code in {404, 421}
    assert "secure_mcp_" not in answer.text
    page = httpx.get(f"{observed.management}/metrics", headers={"Origin": "https://evil.example"}, trust_env=False)
    assert page.status_code == 403
    assert httpx.get(f"{observed.management}/mcp", trust_env=False).status_code == 404
    assert httpx.post(f"{observed.management}/log-level", content="debug", trust_env=False).status_code == 404


def test_top_shows_the_same_truth_in_the_terminal(observed: Observed) -> None:
    arguments = ["top", "--url", observed.management, "--interval", "1", "--once"]
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert (found["workers"], found["workers_ready"], found["redis"]) == (WORKERS, WORKERS, "up")
    assert 0 <= found["keys_age_seconds"] < 400
    assert found["lines_lost"] == 0
    assert found["memory_mb"] > 20
    assert "workers ready" in CliRunner().invoke(app, arguments).stdout
    gone = CliRunner().invoke(app, ["top", "--url", f"http://127.0.0.1:{free_port()}", "--once"])
    assert "does not answer" in str(gone.exception)
