"""Secrets of an environment: random, one file each, readable by their owner only, never replaced once there."""

import os
import secrets as random
import stat
from collections.abc import Iterable
from pathlib import Path

from ops.errors import OperatorError

BOOTSTRAP_ADMIN = "bootstrap-admin"
DEMO_USER = "demo_user_password"
# Service accounts of the operator: terraform/keycloak/accounts.tf. The contract does not name them.
ACCOUNTS = ("auditor", "terraform")
_BYTES = 32


def ensure_secret(folder: Path, name: str) -> str:
    """Return a secret; make a random one of 256 bits first where there is none.

    The file appears whole or not at all, also when two processes do this at once.

    Args:
        folder: folder of the secret files; made with mode 0700.
        name: name of the file.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    target = folder / name
    if not target.exists():
        fresh = folder / f".{name}.{random.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(random.token_urlsafe(_BYTES))
                file.flush()
                os.fsync(file.fileno())
            _publish(fresh, target)
        finally:
            fresh.unlink()
    return read_secret(folder, name)


def ensure_secrets(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return several secrets by name, see `ensure_secret`."""
    return {name: ensure_secret(folder, name) for name in names}


def read_secret(folder: Path, name: str) -> str:
    """Return a secret that is there.

    Raises:
        OperatorError: the file is missing, or others than its owner can read it.
    """
    target = folder / name
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
        text = target.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise OperatorError(f"There is no secret {target}.", "Make the environment first: make up") from error
    except PermissionError as error:
        raise OperatorError(f"{target} cannot be read.", "Run the command as the user who ran `make up`.") from error
    if mode & 0o077:
        raise OperatorError(f"{target} can be read by others (mode {mode:04o}).", f"Run: chmod 400 {target}")
    return text


def _publish(fresh: Path, target: Path) -> None:
    try:
        os.link(fresh, target)
    except FileExistsError:
        return  # another process was first: its secret counts
