"""Commands that look after the stack: up, down, destroy, status, snapshot."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer

from ops import down as ending
from ops.containers import up as containers
from ops.containers.choice import choose
from ops.containers.environment import StackEnvironment, find_environment
from ops.containers.status import status as containers_status
from ops.environment import Environment, load_environment
from ops.errors import ExitCode, OperatorError
from ops.output import done, short, show, show_json, show_table
from ops.proof import Proof
from ops.realm import LOCK
from ops.secrets import DEMO_USER
from ops.snapshot import take_snapshot
from ops.up import bring_up

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def up(as_json: JsonOption = False) -> None:
    """Start Keycloak and the service, apply the realm, prove that it works. A second run changes nothing.

    \b
    Examples:
      secure-mcp up
      SECURE_MCP_ENGINE=no secure-mcp up --json
    """
    chosen = choose()
    proofs, changed = containers.bring_up(chosen) if chosen else (bring_up(load_environment()), None)
    environment = find_environment()
    if as_json:
        show_json(_summary(environment, proofs) | {"changed": changed})
        return
    show()
    show("Secure MCP is up.")
    show(f"  MCP endpoint  {environment.mcp_url}")
    show(f"  Console       {environment.public_url}/")
    show(f"  API docs      {environment.public_url}/docs")
    show(f"  Keycloak      {environment.issuer} (user demo, password in {short(environment.secrets / DEMO_USER)})")
    show()
    program = short(Path(sys.argv[0]).absolute())
    show("Next:")
    show(f"  {program} call echo text=hello")
    show(f"  {program} call calculate expression='6*7' --client mcp-reader    (refused: shows why)")
    show(f"  {program} token --browser --decode    (log in as demo)")


def down() -> None:
    """Stop what `up` started; keep the data.

    \b
    Examples:
      secure-mcp down
    """
    environment = find_environment()
    if isinstance(environment, StackEnvironment):
        containers.take_down(environment)
    else:
        ending.take_down(environment)


def destroy(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop everything and delete the environment's state: realm, people, secrets.

    \b
    Examples:
      secure-mcp destroy
      secure-mcp destroy --yes
    """
    environment = find_environment()
    if not yes and environment.state.exists():
        if not sys.stdin.isatty():
            raise OperatorError("`destroy` asks before it deletes, and nobody is there to answer.", "Add --yes.")
        if not typer.confirm(f"Delete {short(environment.state)} with the realm, its people and all secrets?"):
            done("kept")
            return
    if isinstance(environment, StackEnvironment):
        containers.destroy(environment)
        done(f"secrets and backups stay in {short(environment.state)}; delete the folder when they are of no more use")
        return
    ending.destroy(environment)


def status(as_json: JsonOption = False) -> None:
    """Show the parts. Exit code 0 when all are up, 1 when not.

    \b
    Examples:
      secure-mcp status
      secure-mcp status --json
    """
    parts = _parts(find_environment())
    if as_json:
        show_json([dataclasses.asdict(part) for part in parts])
    else:
        rows = [(part.name, "up" if part.up else "down", str(part.pid or "-"), part.url, part.log) for part in parts]
        show_table(("part", "state", "pid", "url", "log"), rows)
    if not all(part.up for part in parts):
        raise typer.Exit(ExitCode.FINDINGS)


def snapshot(
    output: Annotated[Path, typer.Option(help="File to write or to compare with.")] = LOCK,
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit code 1 when the realm differs.")] = False,
) -> None:
    """Write the applied realm to the lock file, without ids and secrets.

    \b
    Examples:
      secure-mcp snapshot
      secure-mcp snapshot --check
      secure-mcp snapshot --output /dev/stdout
    """
    take_snapshot(find_environment(), output.absolute(), check=check)


def _parts(environment: Environment) -> list[ending.Part]:
    if isinstance(environment, StackEnvironment):
        return containers_status(environment)
    return ending.status(environment)


def _summary(environment: Environment, proofs: list[Proof]) -> dict[str, object]:
    return {
        "mcp_url": environment.mcp_url,
        "issuer": environment.issuer,
        "realm_source": environment.recall("realm_source"),
        "proofs": [dataclasses.asdict(proof) for proof in proofs],
    }
