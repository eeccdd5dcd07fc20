"""The real Prometheus and Alertmanager (Debian's packages) with the configuration and the alerts of the repository."""

import http.server
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.environment import REPOSITORY
from tests.support.relay import free_port
from tests.support.until import until

FOLDER = REPOSITORY / "terraform" / "docker" / "observability"
# A drill cannot wait for minutes: its minute is a second, and its hour a minute.
QUICK = {"h": "m", "m": "s"}


def quickened(rules: str) -> str:
    """Return the alerts with every duration, and every age in seconds, sixty times shorter."""
    rules = re.sub(r"(?<=[\[ ])(\d+)([mh])(?=[\]\s)])", lambda found: found[1] + QUICK[found[2]], rules)
    return re.sub(r"> (\d+)( \* 3600)?$|> (\d+) \* 3600 ", _shorter, rules, flags=re.MULTILINE)


def _shorter(found: re.Match[str]) -> str:
    if found[3]:
        return f"> {int(found[3]) * 60} "
    return f"> {int(found[1]) * 60}" if found[2] else f"> {found[1] if int(found[1]) < 60 else int(found[1]) // 60}"


class Numbers(http.server.ThreadingHTTPServer):
    """Stands for exporters that are not here: shows whatever numbers the drill writes into `text`."""

    daemon_threads = True

    def __init__(self) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.server.text.encode()  # type: ignore[attr-defined]
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.text = ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: Prometheus may give up a scrape."""

    @property
    def target(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_port}"


@dataclass(frozen=True)
class Monitoring:
    """A running pair."""

    prometheus: str
    alertmanager: str

    def firing(self) -> set[str]:
        """Return the names of the alerts that Alertmanager was told of and that are not over."""
        answer = httpx.get(f"{self.alertmanager}/api/v2/alerts?active=true", trust_env=False)
        return {alert["labels"]["alertname"] for alert in answer.json()}

    def rules(self) -> list[dict[str, Any]]:
        """Return the alerts that Prometheus evaluates, and how they are."""
        answer = httpx.get(f"{self.prometheus}/api/v1/rules", trust_env=False)
        return [rule for group in answer.json()["data"]["groups"] for rule in group["rules"]]

    def query(self, expression: str) -> list[Any]:
        """Return the result of a query."""
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": expression}, trust_env=False)
        found: list[Any] = answer.json()["data"]["result"]
        return found


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


@contextmanager
def monitoring(folder: Path, **targets: str) -> Iterator[Monitoring]:
    """Run both for the block; skip the test where they are not installed.

    Args:
        folder: for everything that they write.
        targets: host and port of service, keycloak, nginx, redis, postgres and node.
    """
    programs = [shutil.which("prometheus"), shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")]
    if None in programs:
        pytest.skip("prometheus and prometheus-alertmanager are not installed")
    ports = free_port(), free_port()
    rules = folder / "alerts.yml"
    rules.write_text(quickened((FOLDER / "alerts.yml").read_text()))
    holes = {"alertmanager": f"127.0.0.1:{ports[1]}", "interval": "500ms", "rules": str(rules), **targets}
    holes["nodes"], holes["nginx"] = (f'["{holes.pop(name)}"]' for name in ("node", "nginx"))
    for name, values in (("prometheus", holes), ("alertmanager", {"webhooks": "[]"})):
        text = (FOLDER / f"{name}.yml").read_text()
        (folder / f"{name}.yml").write_text(re.sub(r"\$\{(\w+)\}", lambda hole, have=values: have[hole[1]], text))
    commands = [
        [str(programs[0]), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         f"--web.listen-address=127.0.0.1:{ports[0]}", "--rules.alert.resend-delay=1s"],
        [str(programs[1]), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alerts",
         f"--web.listen-address=127.0.0.1:{ports[1]}", "--cluster.listen-address="],
    ]  # fmt: skip
    with (folder / "monitoring.log").open("wb") as log:
        started = [subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) for command in commands]
        try:
            pair = Monitoring(f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}")
            until(
                lambda: _answers(f"{pair.prometheus}/-/ready") and _answers(f"{pair.alertmanager}/-/ready"),
                30,
                f"Prometheus and Alertmanager; their words: {folder}/monitoring.log",
            )
            yield pair
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(20)


@contextmanager
def numbers() -> Iterator[Numbers]:
    """Show numbers for the block."""
    server = Numbers()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
