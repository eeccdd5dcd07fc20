"""A new value for one secret: made, told to whoever checks it, put where it is read, what reads it restarted."""

from collections.abc import Callable

from ops.containers.database import alter_role
from ops.containers.engine import docker, exists
from ops.containers.environment import StackEnvironment
from ops.containers.secret_files import (
    POSTGRES,
    POSTGRES_ADMIN,
    POSTGRES_MONITOR,
    RESTARTS,
    container_files,
    install,
    make_secrets,
    replace_secret,
    secret_names,
)
from ops.containers.up import certificates, confidential, read_contract, realm
from ops.errors import OperatorError
from ops.output import done, note, step
from ops.secrets import BOOTSTRAP_ADMIN, DEMO_USER, read_secret


def rotate(environment: StackEnvironment, name: str) -> tuple[str, ...]:
    """Replace one secret of a running stack.

    Args:
        environment: the environment.
        name: name of the secret, see `secret_names`.

    Returns:
        The parts that were restarted.

    Raises:
        OperatorError: there is no such secret, or it cannot be rotated this way.
    """
    refuse_unknown(environment, name)
    contract = read_contract()
    old = make_secrets(environment, contract)
    replace_secret(environment, name)
    secrets = old | {name: read_secret(environment.secrets, name)}
    tell: dict[str, Callable[[], None]] = {
        POSTGRES: lambda: alter_role(environment, "keycloak", secrets[POSTGRES], secrets[POSTGRES_ADMIN]),
        POSTGRES_ADMIN: lambda: alter_role(environment, "postgres", secrets[POSTGRES_ADMIN], old[POSTGRES_ADMIN]),
    }
    if environment.recall("monitor_role"):
        tell[POSTGRES_MONITOR] = lambda: alter_role(
            environment, "monitor", secrets[POSTGRES_MONITOR], secrets[POSTGRES_ADMIN]
        )
    if name in tell:
        tell[name]()
    files = container_files(secrets, certificates(environment), observed=bool(environment.observers))
    install(environment, files, str(environment.recall("service_image")))
    if name in confidential(contract):
        # The account `terraform` still logs in with its old secret, once, to hand over its new one.
        login = secrets | ({"terraform": old["terraform"]} if name == "terraform" else {})
        realm(environment, secrets, login=login)
    restarts = tuple(part for part in RESTARTS.get(name, ()) if exists("container", environment.container(part)))
    for part in restarts:
        with step(f"restart {part}"):
            docker("restart", environment.container(part), deadline_s=180)
    done(f"{name} has a new value")
    if not restarts and name in confidential(contract):
        note(f"Give the new secret to whoever uses the client {name}: the file is {environment.secrets / name}")
    return restarts


def refuse_unknown(environment: StackEnvironment, name: str) -> None:
    """Refuse a name that is no secret, or one of a secret that only Keycloak can change.

    Raises:
        OperatorError: it is one of these.
    """
    names = secret_names(read_contract())
    if name not in names:
        raise OperatorError(f"There is no secret {name!r}.", f"Write one of: {', '.join(names)}.")
    if name in {BOOTSTRAP_ADMIN, DEMO_USER}:
        raise OperatorError(
            f"{name} counts only when Keycloak makes it.",
            f"Change it in the administration console: {environment.operator_url}/admin/",
        )
