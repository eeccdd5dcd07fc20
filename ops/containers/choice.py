"""Can `up` use a Docker engine here, and if not, why not."""

import os
import shutil

from ops.containers.engine import check_engine, docker, exists, find_engine
from ops.containers.environment import NAMES, StackEnvironment, load_stack_environment
from ops.containers.images import BASE_VARIABLES, Images
from ops.containers.up import docker_root
from ops.environment import load_environment
from ops.errors import OperatorError
from ops.output import note
from ops.terraform import MINIMUM, terraform_version

VARIABLE = "SECURE_MCP_ENGINE"
# The smallest image of the stack: whoever can get it can get the others.
_PROBE = "redis:8.2.8-bookworm"


def unavailable(environment: StackEnvironment) -> str | None:
    """Return why the containers cannot be used on this machine, or None when they can.

    SECURE_MCP_ENGINE=no says that the operator does not want them; what runs already is used whatever is said.
    """
    if environment.recall("engine") and exists("container", environment.container("service")):
        return None
    if os.environ.get(VARIABLE) == "no":
        return f"{VARIABLE} is no"
    try:
        check_engine(find_engine())
    except OperatorError as error:
        return error.problem[0].lower() + error.problem[1:].rstrip(".")
    program = shutil.which("terraform")
    if program is None:
        return "there is no terraform on the search path"
    if terraform_version(program) < MINIMUM:
        return f"terraform is older than {'.'.join(map(str, MINIMUM))}"
    try:
        docker_root(environment, Images("none", "none")).prepare()
    except OperatorError:
        return "the provider kreuzwerker/docker cannot be had"
    if all(os.environ.get(variable) for variable in BASE_VARIABLES.values()) or exists("image", _PROBE):
        return None
    try:
        docker("pull", "--quiet", _PROBE, deadline_s=120)
    except OperatorError:
        return "no image registry can be reached"
    return None


def choose() -> StackEnvironment | None:
    """Return the environment on the engine that `up` shall bring up, or None for local processes; says which and why.

    What was begun one way goes on that way.

    Raises:
        OperatorError: the environment is not dev and there is no engine for it.
    """
    local = load_environment()
    if local.name not in NAMES or local.recall("realm_source"):
        return None
    environment = load_stack_environment()
    reason = unavailable(environment)
    if reason is None:
        note("containers: a Docker engine answers, and Terraform has what it needs")
        return environment
    if local.name != "dev":
        raise OperatorError(f"{local.name} runs in containers, and {reason}.", "See docs/operations.md.")
    note(f"local processes, because {reason}")
    return None
