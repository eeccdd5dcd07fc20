"""What must not cost data: all containers restarted at once, and a new image of the service."""

import socket
import subprocess
import time
from collections.abc import Callable

import httpx
import pytest

from ops.containers import up
from ops.containers.backup import realm_export
from ops.containers.engine import docker
from ops.containers.environment import PARTS
from ops.containers.images import Images
from ops.errors import OperatorError
from tests.faults.drills import FIGURES
from tests.stack.conftest import RunningStack
from tests.support.relay import free_port
from tests.support.until import until

READY_S = 240

pytestmark = pytest.mark.requirement("STACK-RECOVERY")


def test_a_restart_of_everything_loses_nothing(
    stack: RunningStack, https: httpx.Client, record_property: Callable[[str, object], None]
) -> None:
    """The same that a reboot of the host does to the containers."""
    before, token, begin = realm_export(stack.environment), stack.token(), time.monotonic()
    docker("restart", *(stack.container(part) for part in PARTS), deadline_s=180)
    until(lambda: all(stack.healthy(part) for part in PARTS), READY_S, "five healthy containers")
    until(lambda: stack.echo(https, token).status_code == 200, 60, "a call with a token from before")
    record_property(FIGURES, {"back_s": time.monotonic() - begin})
    assert realm_export(stack.environment) == before
    assert stack.token()


def test_a_new_image_of_the_service_replaces_it_and_nothing_else(stack: RunningStack, https: httpx.Client) -> None:
    old = stack.environment.recall("service_image")
    new, before = f"{old}-next", realm_export(stack.environment)
    others = {part: stack.inspect(part)["Id"] for part in PARTS if part != "service"}
    recipe = f"FROM {old}\nLABEL next=1\n"
    subprocess.run(["docker", "build", "--quiet", f"--tag={new}", "-"], input=recipe.encode(), check=True, timeout=120)
    try:
        root = up.docker_root(stack.environment, Images(new, stack.environment.recall("keycloak_image")))
        root.prepare()
        assert root.plan()
        root.apply()
        assert {part: stack.inspect(part)["Id"] for part in others} == others
        assert stack.inspect("service")["Config"]["Labels"]["next"] == "1"
        assert stack.echo(https, stack.token()).status_code == 200
        assert realm_export(stack.environment) == before
    finally:
        back = stack.docker_root()
        back.prepare()
        if back.plan():
            back.apply()
        docker("image", "rm", new)


def test_a_taken_port_is_named_before_anything_is_touched() -> None:
    port = free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        with pytest.raises(OperatorError, match=rf"Port {port} \(https\) is in use by .*"):
            up._check_ports({"ports": {"https": port}})
