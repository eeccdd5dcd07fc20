"""The command `secure-mcp`: a table of contents. What a command does stands in the modules that it names."""

import errno
import subprocess
import sys

import typer

from ops import access_commands, audit_commands, registered_commands, stack_commands, top_commands
from ops.adopt.commands import adopt
from ops.audit.commands import audit, repair
from ops.ci.commands import ci
from ops.connect import connect
from ops.containers import commands as container_commands
from ops.doctor.commands import doctor
from ops.errors import ExitCode, OperatorError, unreachable
from ops.kubernetes.command import kubernetes
from ops.output import show_error
from ops.review.command import review
from ops.swarm.commands import swarm

app = typer.Typer(
    help="Runs and uses the Secure MCP stack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command()(stack_commands.up)
app.command()(stack_commands.down)
app.command()(stack_commands.destroy)
app.command()(stack_commands.status)
app.command()(access_commands.token)
app.command()(access_commands.call)
app.command()(connect)
app.command()(stack_commands.snapshot)
app.command()(doctor)
app.command()(audit)
app.command()(repair)
app.command()(adopt)
app.command()(container_commands.plan)
app.command()(review)
app.command()(container_commands.apply)
app.command()(container_commands.backup)
app.command()(container_commands.restore)
app.command()(container_commands.images)
app.add_typer(container_commands.secrets, name="secrets")
app.command()(kubernetes)
app.add_typer(registered_commands.clients, name="clients")
app.command()(audit_commands.why)
app.command()(audit_commands.metrics)
app.command()(top_commands.top)
app.add_typer(audit_commands.audit_log, name="audit-log")
app.add_typer(ci, name="ci")
app.add_typer(swarm, name="swarm")


def main() -> None:
    """Run the command; what an operator can mend becomes a sentence, the next step and an exit code."""
    try:
        app()
    except OperatorError as error:
        show_error(error)
        sys.exit(error.code)
    except subprocess.TimeoutExpired as error:
        problem = f"`{' '.join(map(str, error.cmd[:2]))}` had not ended after {error.timeout:.0f} s."
        show_error(unreachable(problem, "Run the command again; it goes on where it stopped."))
        sys.exit(ExitCode.UNREACHABLE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = f" ({error.filename})" if error.filename else ""
        show_error(
            OperatorError(
                f"The disk is full{where}.", "Free some space (Keycloak needs about 1 GB), then run the command again."
            )
        )
        sys.exit(ExitCode.USAGE)


if __name__ == "__main__":
    main()
