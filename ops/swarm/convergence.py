"""Did a rolling update arrive? Terraform's provider says yes once enough tasks run, and old ones count."""

import json
import time
from collections.abc import Mapping
from typing import Any

from ops.containers.engine import docker
from ops.containers.environment import PARTS, StackEnvironment
from ops.errors import findings, unreachable

_POLL_SECONDS = 1.0
_UNDER_WAY = {"updating", "rollback_started"}
_FAILED = {"paused", "rollback_completed", "rollback_paused"}


def updates_so_far(environment: StackEnvironment) -> dict[str, str]:
    """Return when the last update of each service that is there began: what `await_services` shall not judge again."""
    known = docker("service", "ls", "--quiet", f"--filter=label=secure-mcp.environment={environment.name}")
    ids = known.decode().split()
    services = json.loads(docker("service", "inspect", *ids)) if ids else []
    return {service["Spec"]["Name"]: _began(service) for service in services}


def await_services(environment: StackEnvironment, before: Mapping[str, str], deadline_s: float = 1200) -> None:
    """Wait until each service has as many running tasks as declared, all of its newest version.

    Args:
        environment: the environment.
        before: what `updates_so_far` returned before the apply; a failure among these is history.
        deadline_s: seconds to wait.

    Raises:
        OperatorError: an update failed and was rolled back (exit code 1), or the time is over (exit code 3).
    """
    end = time.monotonic() + deadline_s
    names = [environment.container(part) for part in PARTS]
    while True:
        services = json.loads(docker("service", "inspect", *names))
        waiting = [text for service in services if (text := _unfinished(service, before))]
        if not waiting:
            return
        if time.monotonic() > end:
            raise unreachable(
                f"After {deadline_s:.0f} s {'; '.join(waiting)}.", "Look: docker service ps NAME --no-trunc"
            )
        time.sleep(_POLL_SECONDS)


def _began(service: dict[str, Any]) -> str:
    return str((service.get("UpdateStatus") or {}).get("StartedAt", ""))


def _unfinished(service: dict[str, Any], before: Mapping[str, str]) -> str | None:
    name = service["Spec"]["Name"]
    status = service.get("UpdateStatus") or {}
    if status.get("State") in _FAILED and _began(service) != before.get(name):
        raise findings(
            f"The update of {name} failed ({status['State']}: {status.get('Message', '')}); what ran before runs on.",
            f"Look: docker service ps {name} --no-trunc",
        )
    if status.get("State") in _UNDER_WAY:
        return f"{name} is being updated"
    wanted = service["Spec"]["Mode"]["Replicated"]["Replicas"]
    listing = docker("service", "ps", "--filter=desired-state=running", "--format", "{{.CurrentState}}", name)
    running = sum(line.startswith("Running") for line in listing.decode().splitlines())
    return None if running == wanted else f"{name} has {running} of {wanted} tasks"
