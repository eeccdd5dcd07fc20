"""Where the lines of the audit trail are found: logs of the service and of the edge, audit files, standard input."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ops.containers.environment import StackEnvironment
from ops.environment import Environment
from ops.errors import OperatorError
from service.telemetry.audit_file import older_files

_DECISIONS = ("access_allowed", "access_denied", "session_revoked", "logout_refused")


def raw_lines(environment: Environment, files: list[Path]) -> Iterator[str]:
    """Yield lines that may be of the audit trail.

    Args:
        environment: whose logs are read when no file is named.
        files: read instead; `-` is standard input.

    Raises:
        OperatorError: a file cannot be read.
    """
    if not files and isinstance(environment, StackEnvironment):
        for part in ("edge", "service"):
            yield from _container_log(environment.container(part))
        return
    for path in files or [environment.log("service")]:
        if str(path) == "-":
            yield from sys.stdin
            continue
        yield from file_lines(path)


def file_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file and of the full files beside it, the oldest first, without line breaks."""
    if not path.exists():
        raise OperatorError(f"There is no file {path}.", "Name the log or audit file with --file, or run: make up")
    for found in [*older_files(path), path]:
        try:
            with found.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    yield line.rstrip("\n")
        except OSError as error:
            raise OperatorError(f"{found} cannot be read: {error.strerror}.", "Run this as its owner.") from error


def decisions(lines: Iterator[str], request_id: str) -> list[dict[str, Any]]:
    """Return the decisions about a request, in the order of the lines."""
    found = []
    for line in lines:
        if request_id not in line:
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("event") in _DECISIONS and entry.get("request_id") == request_id:
            found.append(entry)
    return found


def _container_log(container: str) -> Iterator[str]:
    done = subprocess.run(  # noqa: S603 - a program of the machine, a name of ours
        ["docker", "logs", container],  # noqa: S607
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=60,
    )
    yield from done.stdout.splitlines()
