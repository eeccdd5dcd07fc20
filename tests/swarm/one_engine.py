"""The stack on one machine, this one: where people, sessions and keys come from that move into the Swarm."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ops.admin import AdminClient
from ops.containers import up
from ops.containers.engine import docker
from ops.containers.environment import StackEnvironment, load_stack_environment
from ops.environment import REALM
from ops.secrets import BOOTSTRAP_ADMIN, DEMO_USER, read_secret
from ops.users import ensure_demo_user
from tests.support.login import Person
from tests.support.relay import free_port
from tests.swarm.conftest import lay_public_certificate, names_at

NETWORK = "10.87.7.0/24"


@contextmanager
def speaking_to(state: Path, names: Any, engine: str | None = None) -> Iterator[StackEnvironment]:
    """Let the commands of the block speak to an environment, with an engine, and with an idea of the public names.

    Args:
        state: folder of the environment.
        names: what `names_at` returned.
        engine: value of DOCKER_HOST; None means this computer's own engine.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECURE_MCP_STATE_DIR", str(state))
        patch.setattr("socket.getaddrinfo", names)
        if engine:
            patch.setenv("DOCKER_HOST", engine)
        else:
            patch.delenv("DOCKER_HOST", raising=False)
        yield load_stack_environment()


@contextmanager
def one_engine(state: Path, address: str, values: dict[str, Any]) -> Iterator[StackEnvironment]:
    """Bring the stack up on this computer's engine; it is destroyed at the end.

    Args:
        state: folder of the environment.
        address: where it is published.
        values: those of the Swarm; what is a Swarm's own is left out.
    """
    names = names_at(address)
    with speaking_to(state, names) as environment:
        kept = {name: values[name] for name in ("public_url", "keycloak_public_url", "rates")}
        own = {"image_digests": {}, "bind_address": address, "network": NETWORK}
        ports = values["ports"] | {"operator": free_port()}
        (state / "docker.tfvars.json").write_text(json.dumps(kept | own | {"ports": ports}))
        lay_public_certificate(environment)
        found = docker("ps", "--all", "--quiet", f"--filter=name={environment.container('')}")
        assert not found, f"this machine runs an environment {environment.name}; destroy it first"
    try:
        with speaking_to(state, names):
            up.bring_up(environment)
            environment = load_stack_environment()
        yield environment
    finally:
        with speaking_to(state, names):
            up.destroy(load_stack_environment())


def make_person(environment: StackEnvironment) -> Person:
    """Make somebody with an account; the operator's door of the environment is open."""
    secret = read_secret(environment.secrets, BOOTSTRAP_ADMIN)
    password = read_secret(environment.secrets, DEMO_USER)
    with AdminClient(environment.operator_url, "master", BOOTSTRAP_ADMIN, secret) as admin:
        ensure_demo_user(admin, REALM, password)
    return Person("demo", password)
