"""What drills break: a Keycloak of the tier's own, a Redis, the service with two workers, the real edge in front."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from ops.environment import REPOSITORY
from ops.processes import ServerProcess
from tests.faults.authorization import AuthorizationServer
from tests.faults.load import OpenLoad, Target
from tests.faults.toxic import Toxic
from tests.support import client
from tests.support.edge import Edge, edge
from tests.support.http import bearer
from tests.support.relay import free_port
from tests.support.until import until

READY_S = 90  # of the service, on a busy machine
TTL_S = 2
WORKERS = 2


class Service:
    """The service under gunicorn, on a port of its own, started by a prefix such as `faketime` where one is given."""

    def __init__(self, folder: Path, settings: Mapping[str, str], variables: Mapping[str, str], prefix: Sequence[str]):
        self.port = int(settings["PORT"])
        self.log = folder / "service.log"
        self._prefix = list(prefix)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_MCP_")}
        self._environment = inherited | {f"SECURE_MCP_{name}": value for name, value in settings.items()}
        self._environment |= variables
        self._process = ServerProcess("The service", self.log, folder / "service.pid.json")

    def start(self) -> None:
        # By its own program: SIGUSR2 starts that anew, and what `python -m` makes of it finds no module `gunicorn`.
        gunicorn = str(REPOSITORY / ".venv" / "bin" / "gunicorn")
        program = [gunicorn, "-c", "service/gunicorn_conf.py", "service.app:create_app()"]
        self._process.launch([*self._prefix, *program], self._environment, REPOSITORY)

    def stop(self) -> None:
        self._process.stop(grace_s=35)

    def lives(self) -> bool:
        return self._process.pid is not None

    def status(self, path: str) -> int:
        """Return the status of a GET past the edge, 0 where nobody answers."""
        try:
            return client.get(f"http://127.0.0.1:{self.port}{path}").status_code
        except httpx.TransportError:
            return 0

    @property
    def master(self) -> psutil.Process:
        """gunicorn's first process."""
        pid = self._process.pid
        assert pid is not None
        process = psutil.Process(pid)
        return process if not self._prefix or process.name() == "gunicorn" else _gunicorn_below(process)

    def workers(self) -> list[psutil.Process]:
        return [child for child in self.master.children() if child.status() != psutil.STATUS_ZOMBIE]

    def events(self, name: str) -> int:
        """Count the lines of the log with this event."""
        return self.says(f'"event": "{name}"')

    def says(self, text: str) -> int:
        """Count how often the log has this text."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(text)


def _gunicorn_below(process: psutil.Process) -> psutil.Process:
    below = process.children(recursive=True)
    return next((child for child in below if child.children()), process)


@dataclass
class Ground:
    """A service and its edge, with a sick network on the way to Keycloak and to Redis where one is wanted."""

    keycloak: AuthorizationServer
    service: Service
    edge: Edge
    target: Target
    to_keycloak: Toxic
    to_redis: Toxic
    rate: float = 100

    def load(self, token: str | None = None, rate: float | None = None) -> OpenLoad:
        """Return a load of so many calls a second, or of the usual number."""
        return OpenLoad(self.target, token or self.keycloak.token(), rate or self.rate)

    def ready(self) -> bool:
        return self.service.status("/readyz") == 200

    def get(self, path: str, token: str | None = None) -> httpx.Response:
        """Ask through the edge on a new connection."""
        headers = bearer(token) if token else {}
        return httpx.get(f"{self.edge.origin}{path}", headers=headers, verify=self.edge.trust, trust_env=False)

    def judges(self, token: str) -> int:
        """Return the status of a call with this token."""
        return self.get("/api/v1/tools", token).status_code


@contextmanager
def ground(
    keycloak: AuthorizationServer,
    redis_port: int,
    folder: Path,
    *,
    keycloak_down: bool = False,
    variables: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    values: Mapping[str, str] | None = None,
    **settings: str,
) -> Iterator[Ground]:
    """Run service and edge for the block.

    Args:
        keycloak: its authorization server.
        redis_port: of its Redis.
        folder: for logs and files.
        keycloak_down: refuse connections to Keycloak from the beginning; the block begins when the service is alive.
        variables: further environment variables of the service.
        prefix: program and arguments that start the service.
        values: of holes of the edge's templates.
        settings: of the service, by name without the prefix.
    """
    edge_port = free_port()
    with Toxic(keycloak.server.port) as to_keycloak, Toxic(redis_port) as to_redis:
        usual = {
            "AUDIENCE": f"{keycloak.public_url}/mcp",
            "ISSUER": keycloak.issuer,
            "ISSUER_INTERNAL_URL": f"http://127.0.0.1:{to_keycloak.port}/realms/mcp-realm",
            "CLIENT_SECRET": keycloak.secrets["mcp-server"],
            "REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/0",
            "WORKERS": str(WORKERS),
            "CALLER_REQUESTS_PER_MINUTE": "20000",  # so that it is counted; a share of it is more than the load
            "JWKS_TTL_SECONDS": str(TTL_S),
            "PORT": str(free_port()),
        }
        service = Service(folder, usual | settings, variables or {}, prefix)
        if keycloak_down:
            to_keycloak.be("refuse")
        service.start()
        try:
            path = "/livez" if keycloak_down else "/readyz"
            until(
                lambda: service.status(path) == 200 or not service.lives(), READY_S, f"{path}; its log: {service.log}"
            )
            assert service.lives(), service.log.read_text(encoding="utf-8")[-2000:]
            # A load of 100 calls a second comes from one address here.
            limits = {"rate_mcp": "1000r/s", "burst_mcp": "2000", "streams": "1000"}
            limits["mcp_authority"] = keycloak.public_url.partition("//")[2]
            with edge(folder / "edge", edge_port, service.port, **(limits | dict(values or {}))) as running:
                target = Target(edge_port, running.folder / "tls.crt")
                yield Ground(keycloak, service, running, target, to_keycloak, to_redis)
        finally:
            service.stop()
