"""A new value for one secret of a Swarm: told to whoever checks it, then a rolling update of what reads it."""

from ops.containers.database import alter_role
from ops.containers.environment import StackEnvironment
from ops.containers.rotation import refuse_unknown
from ops.containers.secret_files import POSTGRES, POSTGRES_ADMIN, make_secrets, replace_secret
from ops.containers.up import read_contract, realm
from ops.output import done
from ops.secrets import read_secret
from ops.swarm.door import open_door
from ops.swarm.here import here
from ops.swarm.up import apply
from ops.swarm.values import require_swarm


def rotate(environment: StackEnvironment, name: str) -> None:
    """Replace one secret.

    Args:
        environment: the environment.
        name: name of the secret, see `secret_names`.

    Raises:
        OperatorError: there is no such secret, it cannot be rotated this way, or an update was rolled back.
    """
    require_swarm(environment)
    refuse_unknown(environment, name)
    old = make_secrets(environment, read_contract())
    replace_secret(environment, name)
    new = old | {name: read_secret(environment.secrets, name)}
    if name == POSTGRES:
        alter_role(here(environment), "keycloak", new[POSTGRES], new[POSTGRES_ADMIN])
    if name == POSTGRES_ADMIN:
        alter_role(here(environment), "postgres", new[POSTGRES_ADMIN], old[POSTGRES_ADMIN])
    environment, _changed = apply(environment)
    with open_door(environment):
        # The account `terraform` still logs in with its old secret, once, to hand over its new one.
        realm(environment, new, login=new | ({"terraform": old["terraform"]} if name == "terraform" else {}))
    done(f"{name} has a new value")
