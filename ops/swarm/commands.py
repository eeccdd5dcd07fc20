"""`secure-mcp swarm`: the stack on more than one machine. docs/scaling.md says when and how."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from ops.containers.backup import IDENTITY, back_up
from ops.containers.engine import docker
from ops.containers.environment import PARTS, load_stack_environment
from ops.errors import OperatorError, findings
from ops.output import done, short, show, show_json
from ops.swarm import up as swarm_up
from ops.swarm.door import open_door, tasks
from ops.swarm.here import here
from ops.swarm.images import push_images
from ops.swarm.restore import restore as bring_back
from ops.swarm.rotation import rotate as replace_secret
from ops.swarm.values import require_swarm

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

swarm = typer.Typer(no_args_is_help=True, help="The stack on a Docker Swarm; DOCKER_HOST names a manager.")


@swarm.command()
def push(
    address: Annotated[
        str | None,
        typer.Option(help="The registry as this machine reaches it, where that differs."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Build what is missing, push all five images, and write their digests into docker.tfvars.json.

    \b
    Examples:
      SECURE_MCP_ENVIRONMENT=prod secure-mcp swarm push
      secure-mcp swarm push --address 127.0.0.1:5000
    """
    digests = push_images(load_stack_environment(), address)
    if as_json:
        show_json(digests)
        return
    for part, digest in digests.items():
        show(f"{part:<10}{digest}")


@swarm.command()
def plan(as_json: JsonOption = False) -> None:
    """Say what `swarm up` would change in the services; the secrets that it needs are placed, and nothing runs anew.

    \b
    Examples:
      SECURE_MCP_ENVIRONMENT=prod secure-mcp swarm plan
      secure-mcp swarm plan --json
    """
    _environment, root, _references = swarm_up.prepare(load_stack_environment())
    planned = root.show().get("resource_changes", [])
    changes = [change for change in planned if change["change"]["actions"] != ["no-op"]]
    if as_json:
        show_json([{"address": change["address"], "actions": change["change"]["actions"]} for change in changes])
        return
    for change in changes:
        show(f"{'/'.join(change['change']['actions']):<14} {change['address']}")
    show(f"{len(changes)} changes" if changes else "no changes")


@swarm.command()
def up() -> None:
    """Place secrets, apply services and realm, wait for every rolling update, and let the stack prove itself.

    \b
    Examples:
      DOCKER_HOST=ssh://ops@node1 SECURE_MCP_ENVIRONMENT=prod secure-mcp swarm up
    """
    environment = load_stack_environment()
    _proofs, changed = swarm_up.bring_up(environment)
    done("the stack is up" if changed else "the stack is up, and nothing had to be changed")
    show(f"MCP endpoint  {load_stack_environment().mcp_url}")
    show("next          secure-mcp swarm status")


@swarm.command()
def status(as_json: JsonOption = False) -> None:
    """Show where the tasks run; exit code 1 where one is missing.

    \b
    Examples:
      secure-mcp swarm status
      secure-mcp swarm status --json
    """
    environment = load_stack_environment()
    require_swarm(environment)
    found = [{"part": part, **task} for part in PARTS for task in tasks(environment, part)]
    if as_json:
        show_json(found)
    else:
        for task in found:
            show(f"{task['part']:<10}{task['Node']:<20}{task['CurrentState']}")
    wanted = docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").decode().splitlines()
    ours = [line.split()[:2] for line in wanted if line.startswith(f"secure-mcp-{environment.name}-")]
    if missing := [f"{name} has {count} tasks" for name, count in ours if len(set(count.split("/"))) > 1]:
        raise findings(f"{'; '.join(missing)}.", "Look: docker service ps NAME --no-trunc")


@swarm.command()
def door() -> None:
    """Open Keycloak's administration on this machine until Ctrl-C; no network reaches it otherwise.

    \b
    Examples:
      DOCKER_HOST=ssh://ops@node1 secure-mcp swarm door
    """
    environment = load_stack_environment()
    require_swarm(environment)
    with open_door(environment):
        show(f"{environment.operator_url}/admin/ is open; Ctrl-C closes it")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            done("closed")


@swarm.command()
def rotate(name: Annotated[str, typer.Argument(help="Name, see `secure-mcp secrets list`.")]) -> None:
    """Replace one secret, and let what reads it take the new one by a rolling update.

    \b
    Examples:
      secure-mcp swarm rotate redis_password
    """
    replace_secret(load_stack_environment(), name)


@swarm.command()
def backup() -> None:
    """Write an encrypted backup; DOCKER_HOST names the node that has PostgreSQL.

    \b
    Examples:
      DOCKER_HOST=ssh://ops@node1 SECURE_MCP_ENVIRONMENT=prod secure-mcp swarm backup
    """
    environment = load_stack_environment()
    require_swarm(environment)
    with open_door(environment):
        show(str(back_up(here(environment))))


@swarm.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup, of one engine or of a Swarm.")],
    identity: Annotated[
        Path | None, typer.Option(help="File with the age identity; default: the environment's own.")
    ] = None,
) -> None:
    """Bring a backup into a Swarm that has no data, then all that `swarm up` does; DOCKER_HOST names PostgreSQL's node.

    \b
    Examples:
      secure-mcp swarm restore secure-mcp-prod-20261122T030000Z.tar.age --identity backup.agekey
    """
    environment = load_stack_environment()
    bring_back(environment, file, identity or environment.secrets / IDENTITY)
    done("restored")
    show("next          secure-mcp swarm status")


@swarm.command()
def destroy(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove services, networks, configs and secrets; PostgreSQL's volume and the state folder stay.

    \b
    Examples:
      secure-mcp swarm destroy
      secure-mcp swarm destroy --yes
    """
    environment = load_stack_environment()
    require_swarm(environment)
    if not yes:
        if not sys.stdin.isatty():
            raise OperatorError("`swarm destroy` asks before it removes, and nobody is there to answer.", "Add --yes.")
        if not typer.confirm(f"Remove the services of {environment.name} from the Swarm?"):
            done("kept")
            return
    swarm_up.destroy(environment)
    done(f"services, networks, configs and secrets of {environment.name} are removed")
    show(f"kept: the volume {environment.container('postgres')} with the database, on the node that had PostgreSQL")
    show(f"kept: secrets, certificates and backups in {short(environment.state)}")
    show("next: secure-mcp swarm up brings it back; where nobody needs the data, docker volume rm on that node")
