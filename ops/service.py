"""The MCP service as a local process: gunicorn, in the virtual environment of this command."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from ops.environment import REPOSITORY, Environment
from ops.metrics_port import metrics_port
from ops.processes import ServerProcess

_APP = "service.app:create_app()"


class ServiceProcess:
    """The service on 127.0.0.1, at the port that `env` names.

    Args:
        env: the whole environment of the process, with its `SECURE_MCP_*` settings.
        log: log file, one JSON object a line.
        pid_file: where the process is remembered; None means beside the log.
    """

    def __init__(self, env: Mapping[str, str], log: Path, pid_file: Path | None = None) -> None:
        self.env = dict(env)
        self.log = log
        self.url = f"http://127.0.0.1:{self.env.get('SECURE_MCP_PORT', '8000')}"
        self._process = ServerProcess("The service", log, pid_file or log.with_suffix(".pid.json"))

    @property
    def pid(self) -> int | None:
        """Pid of gunicorn's master process while it runs."""
        return self._process.pid

    def start(self) -> None:
        """Start the service; it is not ready yet then."""
        configuration = REPOSITORY / "service" / "gunicorn_conf.py"
        argv = [sys.executable, "-m", "gunicorn", "-c", str(configuration), _APP]
        self._process.launch(argv, self.env, REPOSITORY)

    def wait_ready(self, deadline_s: float = 60) -> None:
        """Wait until the service has the realm's keys.

        Raises:
            OperatorError: it ended, or was not ready at the deadline.
        """
        self._process.wait_until(self.is_ready, deadline_s)

    def is_ready(self) -> bool:
        """Tell whether /readyz says that the service can judge tokens."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> bool:
        """End the service; requests under way are answered. Returns whether it ran."""
        return self._process.stop(grace_s=35)


def service_environment(environment: Environment) -> dict[str, str]:
    """Return the settings of the service in an environment; what the operator set by variable is kept."""
    settings = {
        "SECURE_MCP_ENVIRONMENT": environment.name,
        "SECURE_MCP_AUDIENCE": environment.mcp_url,
        "SECURE_MCP_ISSUER": environment.issuer,
        "SECURE_MCP_CLIENT_SECRET_FILE": str(environment.secrets / "mcp-server"),
        "SECURE_MCP_PORT": str(environment.port),
        # Without an engine nothing but the address keeps others away from it.
        "SECURE_MCP_MANAGEMENT_HOST": "127.0.0.1",
        "SECURE_MCP_MANAGEMENT_PORT": str(metrics_port(environment)),
        "PYTHONUNBUFFERED": "1",
    }
    return dict(os.environ) | settings
