"""`secure-mcp swarm restore`: a backup, of one engine or of a Swarm, into a Swarm that has no data yet."""

from pathlib import Path

from ops.containers.archive import keep_realm_state, lay_secrets, opened
from ops.containers.database import count_tables, fill
from ops.containers.engine import exists
from ops.containers.environment import StackEnvironment, load_stack_environment
from ops.errors import OperatorError
from ops.locks import exclusive
from ops.output import step
from ops.proof import Proof
from ops.swarm.here import here
from ops.swarm.nodes import find_nodes, require_data_node
from ops.swarm.up import bring_up, prepare
from ops.swarm.values import require_swarm


def restore(environment: StackEnvironment, backup: Path, identity: Path) -> list[Proof]:
    """Bring an environment back from a backup; PostgreSQL alone at first, then all that `swarm up` does.

    Args:
        environment: the environment; it must have no database with tables.
        backup: the encrypted file.
        identity: file with the age identity that can read it.

    Raises:
        OperatorError: wrong identity, damaged file, other versions, another node, or data that would be lost.
    """
    require_swarm(environment)
    with opened(environment, backup, identity) as members:
        require_data_node(find_nodes())
        with exclusive(environment.run / "up.lock", "brings this environment up"):
            _require_empty(environment)
            lay_secrets(environment, members)
            environment, root, _references = prepare(environment)
            with step("start the database alone"):
                root.plan("-target=module.postgres")
                root.apply()
            keep_realm_state(environment, members)  # first: whoever is interrupted below goes on with `swarm up`
            with step("restore the database"):
                _require_empty(environment)
                fill(here(environment), members / "keycloak.dump")
    proofs, _changed = bring_up(load_stack_environment())
    return proofs


def _require_empty(environment: StackEnvironment) -> None:
    name = environment.container("postgres")
    found = exists("service", name)
    if found and count_tables(here(environment)):
        raise OperatorError(
            "The database has tables already.", f"If a restore was interrupted: secure-mcp swarm up. {_way_out(name)}"
        )
    if not found and exists("volume", name):
        raise OperatorError(f"This node has a volume {name}, perhaps with data.", _way_out(name))


def _way_out(volume: str) -> str:
    return (
        "Restore replaces nothing. Where nobody needs that data: "
        f"secure-mcp swarm destroy, then on this node docker volume rm {volume}."
    )
