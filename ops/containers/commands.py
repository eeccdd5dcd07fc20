"""Commands that look after a stack on an engine: secrets, backup, restore, plan, apply, images."""

from pathlib import Path
from typing import Annotated

import typer

from ops.containers import up
from ops.containers.authority import ensure_certificate
from ops.containers.backup import IDENTITY, back_up
from ops.containers.environment import load_stack_environment
from ops.containers.images import Images, ensure_images
from ops.containers.restore import restore as bring_back
from ops.containers.root import failed_checks, planned_values
from ops.containers.rotation import rotate as replace
from ops.containers.secret_files import container_files, install, make_secrets, secret_names
from ops.errors import findings
from ops.output import done, short, show, show_json

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

secrets = typer.Typer(no_args_is_help=True, help="The secrets of an environment on a Docker engine.")


@secrets.command("init")
def secrets_init() -> None:
    """Make the secrets that are missing, and the certificate of the operator's door; none is printed or replaced.

    \b
    Examples:
      secure-mcp secrets init
    """
    environment = load_stack_environment()
    names = make_secrets(environment, up.read_contract())
    ensure_certificate(environment.authority.parent, "operator", ["localhost"])
    done(f"{len(names)} secrets in {short(environment.secrets)}, mode 0400")


@secrets.command("list")
def secrets_list(as_json: JsonOption = False) -> None:
    """Show the names of the secrets.

    \b
    Examples:
      secure-mcp secrets list
      secure-mcp secrets list --json
    """
    names = list(secret_names(up.read_contract()))
    if as_json:
        show_json(names)
        return
    for name in names:
        show(name)


@secrets.command("rotate")
def secrets_rotate(name: Annotated[str, typer.Argument(help="Name, see `secrets list`.")]) -> None:
    """Replace one secret of the running stack, and restart what reads it.

    \b
    Examples:
      secure-mcp secrets rotate redis_password
    """
    restarted = replace(load_stack_environment(), name)
    show(f"restarted: {', '.join(restarted) or 'nothing'}")


@secrets.command("install")
def secrets_install() -> None:
    """Put the secret files into the containers' volumes, for `terraform apply` without `secure-mcp up`.

    \b
    Examples:
      SECURE_MCP_ENVIRONMENT=prod secure-mcp secrets install
    """
    environment = load_stack_environment()
    images = ensure_images(up.read_contract())
    values = make_secrets(environment, up.read_contract())
    root = up.docker_root(environment, images)
    root.prepare()
    root.plan()
    environment = environment.with_values(planned_values(root.show()))
    files = container_files(values, up.certificates(environment), observed=bool(environment.observers))
    install(environment, files, images.service)
    done("secret files are in the volumes of the containers")


def plan(as_json: JsonOption = False) -> None:
    """Plan the containers and say what would change; `apply` does exactly that.

    \b
    Examples:
      SECURE_MCP_ENVIRONMENT=prod secure-mcp plan
      secure-mcp plan --json
    """
    environment, _contract, _secrets = up.prepare(load_stack_environment())
    images = Images(environment.recall("service_image"), environment.recall("keycloak_image"))
    planned = up.docker_root(environment, images).show()
    if failed := failed_checks(planned):
        raise findings(f"Checks of the plan fail: {', '.join(failed)}.", "Mend the values of the environment.")
    changes = [change for change in planned.get("resource_changes", []) if change["change"]["actions"] != ["no-op"]]
    if as_json:
        show_json([{"address": change["address"], "actions": change["change"]["actions"]} for change in changes])
        return
    for change in changes:
        show(f"{'/'.join(change['change']['actions']):<14} {change['address']}")
    show(f"{len(changes)} changes" if changes else "no changes")


def apply() -> None:
    """Apply the plan of `plan` to the containers, then plan and apply the realm.

    \b
    Examples:
      SECURE_MCP_ENVIRONMENT=prod secure-mcp apply
    """
    environment = load_stack_environment()
    plan_file = environment.state / "terraform" / "docker.tfplan"
    if not plan_file.exists():
        raise findings("There is no saved plan.", "Run first: secure-mcp plan")
    values = make_secrets(environment, up.read_contract())
    up.platform(environment, values)
    up.realm(environment, values)


def backup() -> None:
    """Write an encrypted backup of the running stack, and prune old ones.

    \b
    Examples:
      SECURE_MCP_ENVIRONMENT=prod secure-mcp backup
    """
    target = back_up(load_stack_environment())
    show(str(target))


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    identity: Annotated[
        Path | None, typer.Option(help="File with the age identity; default: the environment's own.")
    ] = None,
) -> None:
    """Bring an environment that has no data back from a backup.

    \b
    Examples:
      secure-mcp restore secure-mcp-prod-20261122T030000Z.tar.age --identity backup.agekey
    """
    environment = load_stack_environment()
    bring_back(environment, file, identity or environment.secrets / IDENTITY)
    done("restored")


def images(as_json: JsonOption = False) -> None:
    """Build the images of our own and show their names.

    \b
    Examples:
      secure-mcp images
      secure-mcp images --json
    """
    names = ensure_images(up.read_contract())
    if as_json:
        show_json({"service": names.service, "keycloak": names.keycloak})
        return
    show(names.service)
    show(names.keycloak)
