"""All five images in the registry of the Swarm, and their digests in the site's values."""

import json
from collections.abc import Mapping

from ops.containers.engine import docker, exists
from ops.containers.environment import StackEnvironment
from ops.containers.images import ensure_images
from ops.containers.up import read_contract
from ops.errors import findings
from ops.output import step
from ops.swarm.values import add_values, require_swarm

# As terraform/docker/common/images.tf names them.
FOREIGN = {"edge": "nginx:1.30.4-trixie", "postgres": "postgres:17.10-trixie", "redis": "redis:8.2.8-bookworm"}


def push_images(environment: StackEnvironment, address: str | None = None) -> dict[str, str]:
    """Build what is missing, push all five images, and write names and digests into the site's values.

    Args:
        environment: its values name the registry.
        address: the registry as this machine reaches it, where the nodes know it by another name.

    Returns:
        The digest by part.

    Raises:
        OperatorError: no registry is named, or it takes nothing.
    """
    values = require_swarm(environment)
    own = ensure_images(read_contract())
    images = FOREIGN | {"keycloak": own.keycloak, "service": own.service}
    registry = address or values.get("registry")
    if not registry:
        raise findings("No registry is named.", 'Write "registry": "host:port" into docker.tfvars.json.')
    digests = {part: _push(name, f"{registry}/{name}") for part, name in sorted(images.items())}
    add_values(environment, {"image_digests": digests, **names_of(images)})
    return digests


def names_of(images: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the root that name the images of our own."""
    return {"keycloak_image": images["keycloak"], "service_image": images["service"]}


def _push(name: str, target: str) -> str:
    if not exists("image", name):
        docker("pull", "--quiet", name, deadline_s=900)
    with step(f"push {target}"):
        docker("tag", name, target)
        docker("push", "--quiet", target, deadline_s=1800)
    repository = target.rpartition(":")[0]
    known = json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", target))
    docker("rmi", target)  # the name only
    for digest in known:
        if digest.startswith(f"{repository}@"):
            return str(digest.partition("@")[2])
    raise findings(f"The registry told no digest of {target}.", "Look: docker image inspect")
