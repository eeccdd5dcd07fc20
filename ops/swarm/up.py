"""`secure-mcp swarm up`: checks, secrets, services, realm, proof. A second run changes nothing."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ops.containers.engine import docker, exists
from ops.containers.environment import PARTS, StackEnvironment
from ops.containers.root import TerraformRoot, planned_values
from ops.containers.secret_files import container_files, make_secrets
from ops.containers.up import WAY_BACK, certificates, make_demo_user, read_contract, realm
from ops.downgrade import refuse_downgrade
from ops.errors import OperatorError
from ops.locks import exclusive
from ops.output import done, note, step
from ops.proof import Proof, prove, require_proof
from ops.swarm.convergence import await_services, updates_so_far
from ops.swarm.door import open_door
from ops.swarm.nodes import check_nodes, find_nodes
from ops.swarm.secrets import Reference, place_secrets, remove_others
from ops.swarm.values import require_swarm


def bring_up(environment: StackEnvironment) -> tuple[list[Proof], bool]:
    """Bring the stack up on the Swarm, and let it prove itself.

    Returns:
        What was proved, and whether anything was changed.

    Raises:
        OperatorError: with the way out.
    """
    with exclusive(environment.run / "up.lock", "brings this environment up"):
        environment, changed = apply(environment)
        secrets = make_secrets(environment, read_contract())
        with open_door(environment):
            changed = realm(environment, secrets) or changed
            if environment.name == "dev":
                make_demo_user(environment, secrets)
        with step("proof"):
            proofs = prove(environment)
        for proof in proofs:
            note(f"{'✓' if proof.holds else '✗'} {proof.sentence} ({proof.seen})")
        require_proof(proofs)
    return proofs, changed


def apply(environment: StackEnvironment) -> tuple[StackEnvironment, bool]:
    """Put secrets into the Swarm and apply the services; waits for every rolling update.

    Returns:
        The environment with its URLs, and whether anything was changed.

    Raises:
        OperatorError: also where an update was rolled back.
    """
    environment, root, references = prepare(environment)
    changes = [c for c in root.show().get("resource_changes", []) if c["change"]["actions"] != ["no-op"]]
    before = updates_so_far(environment)
    if changes:
        with step("terraform apply: networks, configs, services, each waited for until healthy"):
            root.apply()
    else:
        done("services: as declared, nothing changed since")
    with step("wait for rolling updates"):
        await_services(environment, before)
    for name in remove_others(environment, references):
        note(f"removed the secret {name}, which nobody has any more")
    return environment, bool(changes)


def prepare(environment: StackEnvironment) -> tuple[StackEnvironment, TerraformRoot, dict[str, dict[str, Reference]]]:
    """Check the nodes, place the secrets and plan. Nothing that runs is touched."""
    values = require_swarm(environment)
    check_nodes(find_nodes(), int(values.get("replicas", {}).get("edge", 3)))
    _refuse_older_keycloak(environment, values)
    secrets = make_secrets(environment, read_contract())
    environment = environment.with_values(root_values(environment))
    files = container_files(secrets, certificates(environment), observed=False)
    references = place_secrets(environment, files)
    root = swarm_root(environment, references)
    root.prepare()
    root.plan()
    return environment, root, references


def _refuse_older_keycloak(environment: StackEnvironment, values: Mapping[str, Any]) -> None:
    """Compare the image that is declared with the one that the Swarm has, as far as their tags tell the version."""
    name, declared = environment.container("keycloak"), _version(str(values.get("keycloak_image", "")))
    if declared and exists("service", name):
        there = docker("service", "inspect", "--format={{.Spec.TaskTemplate.ContainerSpec.Image}}", name).decode()
        refuse_downgrade(_version(there), declared, WAY_BACK)


def _version(image: str) -> str:
    """Return the version with which `secure-mcp swarm push` begins a tag; an empty text where a tag has none."""
    found = re.search(r":(\d+(?:\.\d+)+)-", image)
    return found[1] if found else ""


def swarm_root(environment: StackEnvironment, references: dict[str, dict[str, Reference]]) -> TerraformRoot:
    """Return terraform/docker/swarm of the environment."""
    return TerraformRoot(environment, "docker", {"secrets": json.dumps(references)}, inside="swarm")


def root_values(environment: StackEnvironment) -> dict[str, Any]:
    """Return the values of the root as Terraform reads them, before there is any secret.

    Raises:
        OperatorError: Terraform refuses them.
    """
    # References of secrets that are not there: a plan does not ask for them.
    root = swarm_root(environment, {part: {} for part in PARTS})
    root.prepare()
    root.plan("-refresh=false")
    values = planned_values(root.show())
    if values.get("topology") != "swarm":
        raise OperatorError("The plan is not one of a Swarm.", 'Write "topology": "swarm" into docker.tfvars.json.')
    return values


def destroy(environment: StackEnvironment) -> None:
    """Remove services, networks, configs and secrets; the volume of PostgreSQL and the state folder stay.

    Raises:
        OperatorError: the engine is no manager, or the environment is protected.
    """
    require_swarm(environment)
    find_nodes()
    root = swarm_root(environment, {part: {} for part in PARTS})
    root.prepare()
    with step("terraform destroy"):
        root.destroy()
    remove_others(environment, {})
