"""The port of the service's metrics on this machine: `secure-mcp top` looks there, and so may a Prometheus."""

import os

from ops.environment import Environment
from ops.errors import OperatorError
from ops.ports import free_port, is_free, require_free

VARIABLE = "SECURE_MCP_MANAGEMENT_PORT"
DEFAULT = 9464
"""The port that OpenTelemetry's Prometheus exporters have by default."""


def metrics_port(environment: Environment) -> int:
    """Return the port: what the variable says, else what the last `up` chose, else the default.

    Raises:
        OperatorError: the variable has no valid value.
    """
    text = os.environ.get(VARIABLE) or str(environment.recall("metrics_port") or DEFAULT)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise OperatorError(f"{VARIABLE} is no port: {text!r}.", "Write a number from 1 to 65535.")
    return int(text)


def choose_metrics_port(environment: Environment, *, running: bool) -> int:
    """Return the port and keep it for later commands; where nobody named one and it is taken, any other is as good.

    Args:
        environment: the environment.
        running: whether the service runs, so that the port may be in use by it.

    Raises:
        OperatorError: the variable names a port that is no number, in use, or another part's.
    """
    port = metrics_port(environment)
    others = {environment.port, environment.keycloak_port, environment.management_port}
    if os.environ.get(VARIABLE):
        if port in others:
            raise OperatorError(f"{VARIABLE} is the port of another part: {port}.", "Give it a number of its own.")
        if not running:
            require_free(port, "the service's metrics", VARIABLE)
    elif port in others or not ((running and environment.recall("metrics_port") == port) or is_free(port)):
        port = free_port()
    environment.remember(metrics_port=port)
    return port
