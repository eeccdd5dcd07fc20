"""`secure-mcp restore`: a backup into an environment without data. The signing keys come back, so tokens stay valid."""

import json
import os
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]

from ops.containers import up
from ops.containers.backup import FORMAT, checksums
from ops.containers.engine import check_engine, docker, exists, find_engine
from ops.containers.environment import StackEnvironment
from ops.containers.images import KEYCLOAK_VERSION, Images
from ops.containers.secret_files import container_files, install
from ops.errors import OperatorError
from ops.output import done, step
from ops.proof import Proof, prove, require_proof

_COUNT = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"


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
    with tempfile.TemporaryDirectory(prefix="secure-mcp-restore-") as scratch:
        members = unpack(backup, identity, Path(scratch))
        manifest = check(members)
        if manifest["environment"] != environment.name:
            raise OperatorError(
                f"This is a backup of {manifest['environment']}, the environment is {environment.name}.",
                f"Set SECURE_MCP_ENVIRONMENT={manifest['environment']}.",
            )
        _require_empty(environment)
        _lay_secrets(environment, members)
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
            _fill(environment, members / "keycloak.dump")
        state = environment.state / "terraform" / "terraform" / "keycloak" / "terraform.tfstate"
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_bytes((members / "keycloak.tfstate").read_bytes())
        environment.remember(realm_bootstrapped=True, demo_user=True)
        root.plan()
        up.platform(environment, secrets)
        if up.realm(environment, secrets):
            done("the realm differed from what is declared now, and was brought to it")
        with step("proof"):
            proofs = prove(environment)
        require_proof(proofs)
        return proofs


def unpack(backup: Path, identity: Path, scratch: Path) -> Path:
    """Decrypt a backup and return the folder of its members.

    Raises:
        OperatorError: the identity cannot read it, or it is no backup.
    """
    archive, members = scratch / "backup.tar", scratch / "members"
    members.mkdir()
    for file in (backup, identity):
        if not (file.is_file() and os.access(file, os.R_OK)):
            raise OperatorError(f"{file} cannot be read.", "Check the path and who owns it.")
    lines = [line for line in identity.read_text(encoding="ascii").splitlines() if line.startswith("AGE-SECRET-KEY-")]
    try:
        pyrage.decrypt_file(str(backup), str(archive), [pyrage.x25519.Identity.from_str(line) for line in lines])
        with tarfile.open(archive) as tar:
            tar.extractall(members, filter="data")
    except (OSError, pyrage.DecryptError, pyrage.IdentityError, tarfile.TarError) as error:
        raise OperatorError(
            f"{backup.name} cannot be decrypted with {identity.name}: {error}.",
            "Use the identity that was made with the environment; if it is that one, the file is damaged.",
        ) from error
    return members


def check(members: Path) -> dict[str, Any]:
    """Return the manifest after comparing checksums and versions.

    Raises:
        OperatorError: damaged, or of another version.
    """
    manifest: dict[str, Any] = json.loads((members / "manifest.json").read_text(encoding="utf-8"))
    if manifest["sha256"] != checksums(members):
        raise OperatorError("The backup is damaged: a checksum differs.", "Use another backup.")
    if manifest["format"] != FORMAT or manifest["versions"]["keycloak"] != KEYCLOAK_VERSION:
        raise OperatorError(
            f"The backup is of Keycloak {manifest['versions']['keycloak']}, this is {KEYCLOAK_VERSION}.",
            "Restore with the release of that version, then upgrade.",
        )
    return manifest


def _require_empty(environment: StackEnvironment) -> None:
    container = environment.container("postgres")
    if not exists("container", container):
        if exists("volume", environment.container("postgres")):
            raise OperatorError(
                f"The volume {container} has data.", "Restore replaces nothing: secure-mcp destroy first."
            )
        return
    if int(_psql(environment, _COUNT).strip() or 0):
        raise OperatorError("The database has tables already.", "Restore replaces nothing: secure-mcp destroy first.")


def _lay_secrets(environment: StackEnvironment, members: Path) -> None:
    environment.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    for member in members.glob("secret.*"):
        target = environment.secrets / member.name.removeprefix("secret.")
        if target.exists() and target.read_bytes() != member.read_bytes():
            raise OperatorError(f"{target} differs from the backup's.", f"Move {environment.secrets} away first.")
        if not target.exists():
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
            with os.fdopen(descriptor, "wb") as file:
                file.write(member.read_bytes())


def _fill(environment: StackEnvironment, dump: Path) -> None:
    command = [
        "pg_restore",
        "--host=127.0.0.1",
        "--username=keycloak",
        "--dbname=keycloak",
        "--no-owner",
        "--exit-on-error",
    ]
    with dump.open("rb") as content:
        container = environment.container("postgres")
        docker(
            "exec",
            "--interactive",
            "--env=PGPASSFILE=/run/secrets/pgpass",
            container,
            *command,
            stdin=content,
            deadline_s=1800,
        )


def _psql(environment: StackEnvironment, statement: str) -> str:
    command = [
        "psql",
        "-qAtX",
        "--host=127.0.0.1",
        "--username=keycloak",
        "--dbname=keycloak",
        f"--command={statement}",
    ]
    return docker("exec", "--env=PGPASSFILE=/run/secrets/pgpass", environment.container("postgres"), *command).decode()
