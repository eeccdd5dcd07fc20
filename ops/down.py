"""`secure-mcp down`, `destroy` and `status`: what runs, and its end."""

import shutil
from dataclasses import dataclass

import httpx

from ops.environment import REALM, Environment
from ops.errors import OperatorError
from ops.locks import exclusive
from ops.output import done, short, step
from ops.parts import keycloak_of, service_of


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the stack as `status` shows it. `pid` is None for what is no process, or does not run."""

    name: str
    up: bool
    pid: int | None
    url: str
    log: str


def take_down(environment: Environment) -> None:
    """Stop what `up` started in this environment, and nothing else; data stays."""
    if not environment.state.exists():
        done("nothing to stop")
        return
    with exclusive(environment.run / "up.lock", "brings this environment up"):
        for server, name in ((service_of(environment), "the service"), (keycloak_of(environment), "Keycloak")):
            if server.pid is None:
                server.stop()  # takes away a stale pid file
                done(f"{name} did not run")
                continue
            with step(f"stop {name}"):
                server.stop()


def destroy(environment: Environment) -> None:
    """Stop everything and delete the state: realm, people, secrets, logs.

    Raises:
        OperatorError: the folder is not one of ours.
    """
    if not environment.state.exists():
        done("nothing to delete")
        return
    if not environment.run.is_dir():
        raise OperatorError(f"{environment.state} does not look like a state folder.", "Check SECURE_MCP_STATE_DIR.")
    take_down(environment)
    shutil.rmtree(environment.state)
    done(f"deleted {short(environment.state)}")


def status(environment: Environment) -> list[Part]:
    """Return the parts of the stack and whether each answers."""
    keycloak, service = keycloak_of(environment), service_of(environment)
    pids = keycloak.pid, service.pid
    keycloak_log, service_log = short(keycloak.log), short(service.log)
    return [
        Part("keycloak", pids[0] is not None and keycloak.is_ready(), pids[0], environment.keycloak_url, keycloak_log),
        Part(
            f"realm {REALM}",
            pids[0] is not None and _answers(environment.issuer),
            None,
            environment.issuer,
            keycloak_log,
        ),
        Part("service", pids[1] is not None and service.is_ready(), pids[1], environment.mcp_url, service_log),
    ]


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
