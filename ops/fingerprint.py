"""What was used when something was applied or started, as one short text: the same text means that nothing changed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

_IGNORED = {"__pycache__", ".terraform", "tests"}


def fingerprint(paths: Iterable[Path], values: Mapping[str, str]) -> str:
    """Return a hash over files (folders with all that is in them) and values.

    Args:
        paths: files and folders; one that is missing counts as empty.
        values: settings. Only their hash is kept.
    """
    total = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not _IGNORED & set(file.relative_to(path).parts):
                total.update(f"\0{file.relative_to(path.parent)}\0".encode())
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
