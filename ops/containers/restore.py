"""`secure-mcp restore`: a backup into an environment without data. The signing keys come back, so tokens stay valid."""

from pathlib import Path

from ops.containers import up
from ops.containers.archive import keep_realm_state, lay_secrets, opened
from ops.containers.database import count_tables, fill
from ops.containers.engine import check_engine, exists, find_engine
from ops.containers.environment import StackEnvironment
from ops.containers.images import Images
from ops.containers.secret_files import container_files, install
from ops.errors import OperatorError
from ops.output import done, step
from ops.proof import Proof, prove, require_proof


def restore(environment: StackEnvironment, backup: Path, identity: Path) -> list[Proof]:
    """Bring an environment back from a backup.

    Args:
        environment: the environment; it must have no database with tables.
        backup: the encrypted file.
        identity: file with the age identity that can read it.

    Raises:
        OperatorError: wrong identity, damaged file, other versions, or data that would be lost.
    """
    check_engine(find_engine())
    with opened(environment, backup, identity) as members:
        _require_empty(environment)
        lay_secrets(environment, members)
        environment, _contract, secrets = up.prepare(environment)
        images = Images(environment.recall("service_image"), environment.recall("keycloak_image"))
        files = container_files(secrets, up.certificates(environment), observed=bool(environment.observers))
        install(environment, files, images.service)
        root = up.docker_root(environment, images)
        with step("start the database alone"):
            root.plan("-target=module.postgres")
            root.apply()
        _require_empty(environment)
        with step("restore the database"):
            fill(environment, members / "keycloak.dump")
        keep_realm_state(environment, members)
        root.plan()
        up.platform(environment, secrets)
        if up.realm(environment, secrets):
            done("the realm differed from what is declared now, and was brought to it")
        with step("proof"):
            proofs = prove(environment)
        require_proof(proofs)
        return proofs


def _require_empty(environment: StackEnvironment) -> None:
    container = environment.container("postgres")
    if not exists("container", container):
        if exists("volume", environment.container("postgres")):
            raise OperatorError(
                f"The volume {container} has data.", "Restore replaces nothing: secure-mcp destroy first."
            )
        return
    if count_tables(environment):
        raise OperatorError("The database has tables already.", "Restore replaces nothing: secure-mcp destroy first.")
