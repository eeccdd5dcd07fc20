"""TCP ports on the loopback interface: is one free, and if not, who has it."""

import socket
from contextlib import suppress

import psutil

from ops.errors import OperatorError


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port, on both loopback addresses: `localhost` may mean either."""
    return all(_can_bind(family, address, port) for family, address in _loopbacks())


def holder(port: int) -> str:
    """Return who listens on the port, such as `java (pid 123)`; `another program` where the system does not tell."""
    with suppress(psutil.AccessDenied):
        for connection in psutil.net_connections(kind="tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                with suppress(psutil.NoSuchProcess):
                    return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "another program"


def require_free(port: int, purpose: str, variable: str) -> None:
    """Refuse a port that is in use.

    Args:
        port: the port.
        purpose: who wants it, such as `Keycloak`.
        variable: the environment variable that chooses another one.

    Raises:
        OperatorError: it is in use; the text names the holder.
    """
    if not is_free(port):
        raise OperatorError(
            f"Port {port}, wanted for {purpose}, is in use by {holder(port)}.",
            f"End that program, or choose another port: {variable}={free_port()} make up",
        )


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _loopbacks() -> list[tuple[socket.AddressFamily, str]]:
    pairs = [(socket.AF_INET, "127.0.0.1")]
    if socket.has_ipv6 and _can_bind(socket.AF_INET6, "::1", 0):
        pairs.append((socket.AF_INET6, "::1"))
    return pairs


def _can_bind(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError:
        return False
    return True
