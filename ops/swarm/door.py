"""The operator's door of a Swarm: Keycloak's administration, which no network reaches.

Nginx listens on the loopback interface of its own container. Whoever may speak to the engine of a node with an Nginx
gets there: each connection to the loopback interface of this machine is carried by `docker exec`.
"""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ops.containers.engine import docker
from ops.containers.environment import StackEnvironment
from ops.errors import OperatorError, unreachable
from ops.ports import holder, is_free

_PORT_INSIDE = 9443
# From both sides until one ends: from Nginx, or from the caller, whose end Nginx is not told before it waits no longer.
_CARRY = f"exec 3<>/dev/tcp/127.0.0.1/{_PORT_INSIDE} 4<&0; cat <&4 >&3 & cat <&3; kill $!"


def container_here(environment: StackEnvironment, part: str) -> str:
    """Return the id of a healthy container of a part on the engine of DOCKER_HOST.

    Raises:
        OperatorError: there is none (exit code 3).
    """
    filters = (f"label=com.docker.swarm.service.name={environment.container(part)}", "health=healthy")
    ids = docker("ps", "--quiet", *(f"--filter={text}" for text in filters)).decode().split()
    if not ids:
        raise unreachable(
            f"No healthy container of {part} is on this engine.",
            f"Look where it is: docker service ps {environment.container(part)}, and let DOCKER_HOST name that node.",
        )
    return ids[0]


@contextmanager
def open_door(environment: StackEnvironment) -> Iterator[None]:
    """Listen on the port of the operator's door on the loopback interface for the time of the block.

    Raises:
        OperatorError: the port is in use, or no Nginx is on this engine.
    """
    container_here(environment, "edge")
    port = environment.operator_port
    if not is_free(port):
        raise OperatorError(
            f"Port {port} is in use by {holder(port)}.", "End that program; the door may be open already."
        )
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, environment), daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def _serve(listener: socket.socket, environment: StackEnvironment) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(connection, environment), daemon=True).start()


def _carry(connection: socket.socket, environment: StackEnvironment) -> None:
    with connection:
        try:
            container = container_here(environment, "edge")
        except OperatorError:
            return  # the caller sees the connection end, and the next one may find another container
        subprocess.run(  # noqa: S603 - the operator's own docker
            ["docker", "exec", "--interactive", container, "bash", "-c", _CARRY],  # noqa: S607
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=subprocess.DEVNULL,
            check=False,
        )


def tasks(environment: StackEnvironment, part: str) -> list[dict[str, str]]:
    """Return the tasks of a part that should run: Name, Node, CurrentState, Image."""
    listing = docker(
        "service", "ps", "--filter=desired-state=running", "--format", "{{json .}}", environment.container(part)
    )
    return [json.loads(line) for line in listing.decode().splitlines()]
