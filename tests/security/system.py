"""The service as users run it: gunicorn, settings from the environment, a log file."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.security.draft import World
from tests.security.wire import connection, request
from tests.support.until import until

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60


@dataclass(frozen=True)
class Service:
    """A running service and where its log goes."""

    origin: str
    issuer: str
    log: Path
    canary: str = "127.0.0.1:9"

    @property
    def world(self) -> World:
        """What cases may name."""
        return World(iss=self.issuer, aud=f"{self.origin}/mcp", canary=self.canary, origin=self.origin)

    @property
    def metadata_url(self) -> str:
        """What every challenge names (RFC 9728 section 5.1)."""
        return f"{self.origin}/.well-known/oauth-protected-resource/mcp"

    @property
    def host(self) -> str:
        """Value of the Host header."""
        return self.origin.removeprefix("http://")

    def status(self, path: str) -> int:
        """Return the status of a GET without a token, 0 when nobody answers."""
        try:
            with connection(self.origin) as opened:
                opened.send(request("GET", path, [], host=self.host))
                return opened.answer("GET").status
        except OSError:
            return 0

    def events(self, name: str) -> int:
        """Count the lines of the log with this event."""
        return len(re.findall(rf'"event": "{name}"', self.log.read_text(encoding="utf-8", errors="replace")))


def free_port() -> int:
    """Return a port that the system just had free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def service(
    issuer: str, directory: Path, *, ready: bool = True, canary: str = "", output: Any = None, **settings: str
) -> Iterator[Service]:
    """Run the service for the block.

    Args:
        issuer: its authorization server.
        directory: for the log.
        ready: wait until it has keys; otherwise only until it is alive.
        canary: host and port for the cases.
        output: where standard output goes instead of the log; the log then has standard error.
        settings: further settings by name without the prefix.
    """
    port = free_port()
    found = Service(f"http://localhost:{port}", issuer, directory / f"service-{port}.log", canary)
    own = {"AUDIENCE": found.world.aud, "ISSUER": issuer, "PORT": str(port), **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_MCP_")}
    environment |= {f"SECURE_MCP_{name}": value for name, value in own.items()}
    command = [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn_conf.py", "service.app:create_app()"]
    with found.log.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output or log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        path, what = ("/readyz", "ready") if ready else ("/livez", "alive")

        def answers() -> bool:
            assert process.poll() is None, f"the service ended: {found.log.read_text()[-2000:]}"
            return found.status(path) == 200

        until(answers, START_SECONDS, f"the service to be {what}; its log: {found.log}")
        yield found
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)
