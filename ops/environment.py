"""One environment of the stack on this machine: its name, ports, URLs and the folder that holds its state."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.errors import OperatorError

REPOSITORY = Path(__file__).resolve().parent.parent
CONTRACT = REPOSITORY / "access.yaml"
REALM = "mcp-realm"

_PORTS = {
    "port": ("SECURE_MCP_PORT", 8000),
    "keycloak_port": ("SECURE_MCP_KEYCLOAK_PORT", 8080),
    "management_port": ("SECURE_MCP_KEYCLOAK_MANAGEMENT_PORT", 9000),
}


@dataclass(frozen=True, slots=True)
class Environment:
    """Where everything of one environment is. Ports are TCP ports on the loopback interface."""

    name: str
    state: Path
    port: int
    keycloak_port: int
    management_port: int

    @property
    def public_url(self) -> str:
        """Origin of the service."""
        return f"http://localhost:{self.port}"

    @property
    def mcp_url(self) -> str:
        """Canonical URL of the MCP server: the audience of its tokens (RFC 8707 section 2)."""
        return f"{self.public_url}/mcp"

    @property
    def keycloak_url(self) -> str:
        """Base URL of Keycloak."""
        return f"http://localhost:{self.keycloak_port}"

    @property
    def issuer(self) -> str:
        """Issuer identifier of the realm (RFC 8414 section 2)."""
        return f"{self.keycloak_url}/realms/{REALM}"

    @property
    def token_endpoint(self) -> str:
        """Token endpoint of the realm (RFC 6749 section 3.2)."""
        return f"{self.issuer}/protocol/openid-connect/token"

    @property
    def secrets(self) -> Path:
        """Folder of the secret files."""
        return self.state / "secrets"

    @property
    def run(self) -> Path:
        """Folder of pid files and logs."""
        return self.state / "run"

    def pid_file(self, part: str) -> Path:
        """Return the pid file of a part such as `keycloak`."""
        return self.run / f"{part}.pid.json"

    def log(self, part: str) -> Path:
        """Return the log of a part such as `service`."""
        return self.run / f"{part}.log"

    def recall(self, key: str) -> Any:
        """Return what `remember` kept under the key, or None."""
        return _memory(self.state).get(key)

    def remember(self, **values: Any) -> None:
        """Keep values of later commands' interest in the state folder; None forgets one."""
        memory = {key: value for key, value in (_memory(self.state) | values).items() if value is not None}
        if memory != _memory(self.state):
            target = self.state / "environment.json"
            fresh = target.with_suffix(".new")
            fresh.write_text(json.dumps(memory, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            fresh.replace(target)


def load_environment() -> Environment:
    """Find the environment: variables first, then what the last `up` kept, then the defaults.

    Raises:
        OperatorError: a variable has no valid value.
    """
    name = os.environ.get("SECURE_MCP_ENVIRONMENT") or "dev"
    given = os.environ.get("SECURE_MCP_STATE_DIR")
    state = Path(given).expanduser().resolve() if given else REPOSITORY / ".secure-mcp" / name
    memory = _memory(state)
    ports = {field: _port(variable, memory.get(field, default)) for field, (variable, default) in _PORTS.items()}
    if len(set(ports.values())) < len(ports):
        variables = ", ".join(variable for variable, _ in _PORTS.values())
        raise OperatorError("Two parts have the same port.", f"Give each of {variables} its own number.")
    return Environment(name=name, state=state, **ports)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise OperatorError(f"{variable} is no port: {text!r}.", "Write a number from 1 to 65535.")
    return int(text)


def _memory(state: Path) -> dict[str, Any]:
    path = state / "environment.json"
    if not path.exists():
        return {}
    try:
        memory: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise OperatorError(f"{path} is damaged.", "Start afresh: make destroy, then make up.") from error
    return memory
