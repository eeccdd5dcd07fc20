"""What the operator sees: results on stdout, progress and errors on stderr, colour only on a terminal."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.errors import OperatorError

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)


def note(text: str) -> None:
    """Say on stderr what is being done or what was found."""
    err.print(f"  {escape(text)}")


def done(text: str) -> None:
    """Say on stderr that a step is in order."""
    err.print(f"[green]✓[/green] {escape(text)}")


def show(text: str = "") -> None:
    """Print a line of the result on stdout."""
    out.print(text, markup=False)


def show_json(value: object) -> None:
    """Print a result for machines on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def show_error(error: OperatorError) -> None:
    """Print an error and the next step on stderr."""
    err.print(f"[red]error:[/red] {escape(error.problem)}")
    err.print(f"[bold]next:[/bold]  {escape(error.next_step)}")


def show_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on stdout; as wide as its contents where stdout is no terminal."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show a slow step: a spinner on a terminal, elsewhere a line at its start; the time that it took at its end.

    Args:
        text: what is done, such as "start Keycloak".
    """
    begin = time.monotonic()
    if err.is_terminal:
        with err.status(escape(text)):
            yield
    else:
        note(f"{text} ...")
        yield
    done(f"{text} ({time.monotonic() - begin:.1f} s)")


def short(path: Path) -> str:
    """Return a path as the operator would type it: relative to the working directory where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
