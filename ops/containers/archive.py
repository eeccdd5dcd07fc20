"""The file that `secure-mcp backup` wrote, looked at before anything is touched."""

import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]

from ops.containers.backup import FORMAT, checksums
from ops.containers.environment import StackEnvironment
from ops.containers.images import KEYCLOAK_VERSION
from ops.errors import OperatorError

POSTGRES_MAJOR = 17  # of the image in terraform/docker/common/images.tf
_MEMBERS = {"keycloak.dump", "keycloak.tfstate", "realm.json"}


@contextmanager
def opened(environment: StackEnvironment, backup: Path, identity: Path) -> Iterator[Path]:
    """Decrypt a backup of the environment and give the folder of its members, for the time of the block.

    Args:
        environment: the environment that it has to be of.
        backup: the encrypted file.
        identity: file with the age identity that can read it.

    Raises:
        OperatorError: wrong identity, damaged, of another environment, or of other versions.
    """
    with tempfile.TemporaryDirectory(prefix="secure-mcp-restore-") as scratch:
        members = unpack(backup, identity, Path(scratch))
        check(members, environment.name)
        yield members


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
    lines = [line for line in identity.read_text(errors="replace").splitlines() if line.startswith("AGE-SECRET-KEY-")]
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


def check(members: Path, environment: str) -> None:
    """Compare what the manifest says with the files, this release and the environment.

    Raises:
        OperatorError: damaged, no backup, of another environment, or of a version that cannot be restored here.
    """
    manifest = _manifest(members)
    if manifest["format"] != FORMAT:
        raise OperatorError(
            f"The backup has format {manifest['format']}, this release reads {FORMAT}.",
            f"Restore with the release that wrote it: {manifest['versions'].get('secure-mcp', 'unknown')}.",
        )
    if manifest["sha256"] != checksums(members):
        raise OperatorError("The backup is damaged: a checksum differs.", "Use another backup.")
    if missing := sorted(_MEMBERS - set(manifest["sha256"])):
        raise OperatorError(f"The backup lacks {', '.join(missing)}.", "Use another backup.")
    if manifest["environment"] != environment:
        raise OperatorError(
            f"This is a backup of {manifest['environment']}, the environment is {environment}.",
            f"Set SECURE_MCP_ENVIRONMENT={manifest['environment']}.",
        )
    keycloak, postgresql = (str(manifest["versions"].get(name)) for name in ("keycloak", "postgresql"))
    if keycloak != KEYCLOAK_VERSION:
        raise OperatorError(
            f"The backup is of Keycloak {keycloak}, this is {KEYCLOAK_VERSION}.",
            "Restore with the release of that version, then upgrade.",
        )
    major = postgresql.partition(".")[0]
    if not major.isdecimal() or int(major) > POSTGRES_MAJOR:
        raise OperatorError(
            f"The backup is of PostgreSQL {postgresql}, this is {POSTGRES_MAJOR}, which cannot read it.",
            "Restore with a release that has that PostgreSQL.",
        )


def _manifest(members: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((members / "manifest.json").read_text(encoding="utf-8"))
        shape = {"format": int, "environment": str, "versions": dict, "sha256": dict}
        if all(isinstance(manifest[name], kind) for name, kind in shape.items()):
            return dict(manifest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            f"This is no backup: its manifest cannot be read ({error!r}).", "Name another file."
        ) from error
    raise OperatorError(
        "This is no backup: its manifest is not as `secure-mcp backup` writes it.", "Name another file."
    )


def lay_secrets(environment: StackEnvironment, members: Path) -> None:
    """Write the secret files of a backup; those that are there have to be the same.

    Raises:
        OperatorError: one differs; none was written.
    """
    environment.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    laid = {environment.secrets / member.name.removeprefix("secret."): member for member in members.glob("secret.*")}
    for target, member in laid.items():
        if target.exists() and target.read_bytes() != member.read_bytes():
            raise OperatorError(f"{target} differs from the backup's.", f"Move {environment.secrets} away first.")
    for target, member in laid.items():
        if not target.exists():
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
            with os.fdopen(descriptor, "wb") as file:
                file.write(member.read_bytes())


def keep_realm_state(environment: StackEnvironment, members: Path) -> None:
    """Put Terraform's state of the realm in place, and remember that the realm was made."""
    state = environment.state / "terraform" / "terraform" / "keycloak" / "terraform.tfstate"
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_bytes((members / "keycloak.tfstate").read_bytes())
    environment.remember(realm_bootstrapped=True, demo_user=True)
