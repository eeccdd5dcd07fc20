"""What an interrupted `terraform apply` made and could not write down: taken away, so that the next apply converges."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.containers.engine import docker
from ops.containers.environment import StackEnvironment
from ops.output import note


def remove_orphans(environment: StackEnvironment, plan: Mapping[str, Any]) -> list[str]:
    """Remove containers and networks with the environment's label that Terraform's state does not know.

    Volumes are left: making one that is there is no error, and they hold data.

    Args:
        environment: the environment.
        plan: the plan as JSON; it has the state that it was made from.

    Returns:
        The ids of what was removed.
    """
    known = set(_ids(plan.get("prior_state", {}).get("values", {}).get("root_module", {})))
    removed = []
    for kind, listing, removal in (
        ("container", ("ls", "--all"), ("rm", "--force", "--volumes")),
        ("network", ("ls",), ("rm",)),
    ):
        label = f"--filter=label=secure-mcp.environment={environment.name}"
        for found in docker(kind, *listing, "--quiet", "--no-trunc", label).decode().split():
            if found not in known:
                note(f"removing the {kind} {found[:12]}, which an interrupted apply left")
                docker(kind, *removal, found)
                removed.append(found)
    return removed


def _ids(module: Mapping[str, Any]) -> Iterator[str]:
    for resource in module.get("resources", []):
        yield str(resource.get("values", {}).get("id", ""))
    for child in module.get("child_modules", []):
        yield from _ids(child)
