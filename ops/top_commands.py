"""The command top."""

import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from ops.containers.engine import docker
from ops.containers.environment import StackEnvironment, find_environment
from ops.metrics_port import DEFAULT, metrics_port
from ops.output import show_json, show_table
from ops.top import look, rows, summary


def top(
    url: Annotated[str | None, typer.Option(help="Base URL of the management port.")] = None,
    interval: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look twice, print, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result of one interval as JSON.")] = False,
) -> None:
    """Show live what the service does: requests, refusals by reason, tools, keys, Redis, lost lines. Ctrl-C ends it.

    Examples:

      secure-mcp top

      secure-mcp top --once --json --url http://127.0.0.1:9464
    """
    target = (url or management_url()).rstrip("/")
    before = look(target)
    live_wanted = sys.stdout.isatty() and not (once or as_json)
    if not live_wanted:
        time.sleep(interval)
        facts = summary(before, look(target))
        if as_json:
            show_json(facts)
        else:
            show_table(("what", "now"), rows(facts))
        return
    try:
        with Live(console=Console(highlight=False), auto_refresh=False) as live:
            while True:
                time.sleep(interval)
                after = look(target)
                table = Table("what", "now", box=None, pad_edge=False, header_style="bold")
                for name, value in rows(summary(before, after)):
                    table.add_row(name, value)
                live.update(table, refresh=True)
                before = after
    except KeyboardInterrupt:
        return


def management_url() -> str:
    """Return where the management port of this environment is reached from here."""
    environment = find_environment()
    if isinstance(environment, StackEnvironment):
        # Published nowhere; the machine of the engine reaches the container's own address.
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        answer = docker("container", "inspect", "--format", template, environment.container("service"))
        return f"http://{answer.decode().split()[0]}:{DEFAULT}"
    return f"http://127.0.0.1:{metrics_port(environment)}"
