"""Access tokens of service accounts, kept until shortly before they expire: one file each, for its owner only."""

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARGIN_S = 30  # a token that ends sooner is not handed out: the caller still has to use it


def cached(folder: Path, identity: tuple[str, ...], fetch: Callable[[], dict[str, Any]]) -> str:
    """Return a kept access token, or fetch one and keep it.

    Args:
        folder: made with mode 0700.
        identity: all that the token depends on: token endpoint, client, scope, key.
        fetch: returns a token response (RFC 6749 section 5.1).
    """
    path = folder / hashlib.sha256("\0".join(identity).encode()).hexdigest()
    if (kept := _read(path)) is not None:
        return kept
    answer = fetch()
    token = str(answer["access_token"])
    lifetime = answer.get("expires_in")
    if isinstance(lifetime, int) and lifetime > MARGIN_S:
        _write(path, {"access_token": token, "expires_at": time.time() + lifetime})
    return token


def forget(folder: Path) -> None:
    """Delete what is kept."""
    for path in folder.glob("*") if folder.is_dir() else ():
        path.unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    """Return a token that is good for a while; what is damaged, expired or open to others counts as not there."""
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        if path.stat().st_mode & 0o077:
            return None
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["expires_at"] - time.time() > MARGIN_S:
            return str(kept["access_token"])
    return None


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    fresh = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
