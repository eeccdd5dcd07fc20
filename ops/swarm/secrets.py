"""Secrets of the Swarm: made through its engine, never by Terraform, whose state would keep their values.

A secret of a Swarm cannot be changed or read back. A new value is a new secret, whose name has a digest of it;
Terraform is told ids and names, and a service takes the new one by a rolling update.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping

from ops.containers.engine import docker
from ops.containers.environment import StackEnvironment
from ops.errors import OperatorError
from ops.output import note

Reference = dict[str, str]


def place_secrets(
    environment: StackEnvironment, files: Mapping[str, Mapping[str, bytes]]
) -> dict[str, dict[str, Reference]]:
    """Make the secrets that are missing.

    Args:
        environment: the environment.
        files: content by name by part.

    Returns:
        Id and name of the secret, by file name by part: the variable `secrets` of the root.
    """
    known = _known(environment)
    return {
        part: {name: _place(environment, known, part, name, text) for name, text in sorted(content.items())}
        for part, content in files.items()
    }


def remove_others(environment: StackEnvironment, wanted: Mapping[str, Mapping[str, Reference]]) -> list[str]:
    """Remove secrets of the environment that nobody wants; one that a task still has stays until the next time."""
    keep = {reference["id"] for content in wanted.values() for reference in content.values()}
    gone = [(name, id_) for name, id_ in _known(environment).items() if id_ not in keep]
    return [name for name, id_ in gone if _removed(name, id_)]


def _place(environment: StackEnvironment, known: dict[str, str], part: str, name: str, text: bytes) -> Reference:
    digest = hashlib.sha256(text).hexdigest()[:12]
    full = f"{environment.container(part)}-{name.replace('_', '-')}-{digest}"
    if full not in known:
        label = f"--label=secure-mcp.environment={environment.name}"
        known[full] = docker("secret", "create", label, full, "-", stdin=text).decode().strip()
    return {"id": known[full], "name": full}


def _known(environment: StackEnvironment) -> dict[str, str]:
    listing = docker(
        "secret", "ls", f"--filter=label=secure-mcp.environment={environment.name}", "--format", "{{json .}}"
    )
    return {said["Name"]: said["ID"] for said in map(json.loads, _lines(listing))}


def _lines(output: bytes) -> Iterable[str]:
    return output.decode().splitlines()


def _removed(name: str, id_: str) -> bool:
    try:
        docker("secret", "rm", id_)
    except OperatorError:
        note(f"the secret {name} is still in use")
        return False
    return True
