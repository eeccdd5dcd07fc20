"""What `docker.tfvars.json` of the state folder says about a Swarm; `push` writes images and digests into it."""

import json
from collections.abc import Mapping
from typing import Any

from ops.containers.environment import StackEnvironment
from ops.errors import OperatorError
from ops.output import short

FILE = "docker.tfvars.json"


def read_values(environment: StackEnvironment) -> dict[str, Any]:
    """Return the site's own values; none where there is no file.

    Raises:
        OperatorError: the file is no JSON object.
    """
    file = environment.state / FILE
    try:
        values = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except ValueError as error:
        raise OperatorError(f"{short(file)} is no JSON: {error}.", "Mend it.") from error
    if not isinstance(values, dict):
        raise OperatorError(f"{short(file)} is no JSON object.", 'Write {"topology": "swarm"}.')
    return values


def require_swarm(environment: StackEnvironment) -> dict[str, Any]:
    """Return the site's own values of an environment that is for a Swarm.

    Raises:
        OperatorError: it is not.
    """
    values = read_values(environment)
    if values.get("topology") != "swarm":
        raise OperatorError(
            f"The environment {environment.name} is not for a Swarm.",
            f'Write "topology": "swarm" into {short(environment.state / FILE)}; docs/scaling.md says when and how.',
        )
    return values


def add_values(environment: StackEnvironment, more: Mapping[str, Any]) -> None:
    """Write values into the file; the others stay."""
    file = environment.state / FILE
    fresh = file.with_suffix(".new")
    fresh.write_text(
        json.dumps({**read_values(environment), **more}, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    fresh.replace(file)
