"""An environment whose stack runs on a Docker engine: its URLs come from Terraform's values, not from ports alone."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ops.environment import Environment, load_environment
from ops.errors import OperatorError
from ops.trust import trust_authority

NAMES = ("dev", "staging", "prod")
PARTS = ("edge", "keycloak", "postgres", "redis", "service")
# Of the optional part `observability`; nginx-exporter where the edge is a container, grafana where it is wanted.
OBSERVERS = ("alertmanager", "grafana", "nginx-exporter", "postgres-exporter", "prometheus", "redis-exporter")


@dataclass(frozen=True, slots=True)
class StackEnvironment(Environment):
    """An environment on an engine.

    `origin` and `auth_origin` are the public origins of service and Keycloak; empty until Terraform's values were read.
    `operator_port` is the port of the operator's door on the loopback interface.
    """

    origin: str = ""
    auth_origin: str = ""
    operator_port: int = 0

    @property
    def public_url(self) -> str:
        """Origin of the service."""
        return self.origin

    @property
    def keycloak_url(self) -> str:
        """Origin of Keycloak as browsers see it; the issuer derives from it."""
        return self.auth_origin

    @property
    def operator_url(self) -> str:
        """Keycloak with its administration, reachable from this machine only."""
        return f"https://localhost:{self.operator_port}"

    @property
    def authority(self) -> Path:
        """Certificate of the environment's own authority, PEM."""
        return self.state / "tls" / "authority.crt"

    @property
    def edge_on_host(self) -> bool:
        """Whether Nginx belongs to the host (ansible/) and not to the stack."""
        return bool(self.recall("edge") == "host")

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of the stack that are containers."""
        return (*(part for part in PARTS if part != "edge" or not self.edge_on_host), *self.observers)

    @property
    def observers(self) -> tuple[str, ...]:
        """Parts of `observability`; none where it is off."""
        return tuple(self.recall("observers") or ())

    def container(self, part: str) -> str:
        """Return the name of a container, such as `secure-mcp-dev-keycloak`."""
        return f"secure-mcp-{self.name}-{part}"

    def with_values(self, values: dict[str, Any]) -> "StackEnvironment":
        """Return this environment with the URLs and ports of Terraform's values, and keep them for later commands."""
        self.remember(
            engine=True,
            origin=values["public_url"],
            auth_origin=values["keycloak_public_url"],
            operator_port=values["ports"]["operator"],
            edge=values["edge"],
            observers=_observers(values) or None,
        )
        return load_stack_environment()


def _observers(values: dict[str, Any]) -> list[str]:
    wanted = values.get("observability")
    if not wanted:
        return []
    left_out = {"nginx-exporter": values["edge"] == "host", "grafana": wanted.get("grafana") is False}
    return [part for part in OBSERVERS if not left_out.get(part)]


def find_environment() -> Environment:
    """Return the environment that commands speak to: the one on an engine where `up` made one, else the local one."""
    plain = load_environment()
    if plain.name in NAMES:
        stack = load_stack_environment()
        if stack.recall("engine"):
            trust_authority(stack.authority)
            return stack
    return plain


def load_stack_environment() -> StackEnvironment:
    """Find the environment, see `ops.environment.load_environment`.

    Raises:
        OperatorError: its name is none of dev, staging and prod.
    """
    plain = load_environment()
    if plain.name not in NAMES:
        raise OperatorError(
            f"There is no environment {plain.name!r}.", f"Set SECURE_MCP_ENVIRONMENT to one of {', '.join(NAMES)}."
        )
    state = plain.state if os.environ.get("SECURE_MCP_STATE_DIR") else plain.state.parent / f"{plain.name}-engine"
    found = StackEnvironment(plain.name, state, plain.port, plain.keycloak_port, plain.management_port)
    return replace(
        found,
        origin=found.recall("origin") or "",
        auth_origin=found.recall("auth_origin") or "",
        operator_port=found.recall("operator_port") or 0,
    )
