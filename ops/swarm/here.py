"""What on one engine has the name of its container: on a Swarm the task that runs on the engine of DOCKER_HOST."""

from dataclasses import dataclass, fields

from ops.containers.environment import StackEnvironment
from ops.swarm.door import container_here


@dataclass(frozen=True, slots=True)
class EnvironmentHere(StackEnvironment):
    """An environment of a Swarm for commands that run a program inside a container, such as a dump."""

    def container(self, part: str) -> str:
        """Return the id of the healthy container of a part on this engine.

        Raises:
            OperatorError: there is none (exit code 3).
        """
        return container_here(_plain(self), part)


def here(environment: StackEnvironment) -> EnvironmentHere:
    """Return the environment as this engine has it."""
    return EnvironmentHere(**{field.name: getattr(environment, field.name) for field in fields(StackEnvironment)})


def _plain(environment: StackEnvironment) -> StackEnvironment:
    return StackEnvironment(**{field.name: getattr(environment, field.name) for field in fields(StackEnvironment)})
