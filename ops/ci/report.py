"""What a pipeline says to people: Markdown, made of the judging commands' own output."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ops.errors import ExitCode, OperatorError

_DEADLINE_S: Final = 900
_LONGEST: Final = 60_000  # characters; a comment on GitHub may have 65,536


def judged(command: str, *arguments: str, environment: str, log: Path) -> tuple[int, str]:
    """Run `secure-mcp review` or `secure-mcp audit` and return its exit code and its Markdown.

    Args:
        command: name of the command.
        arguments: its arguments.
        environment: name of the environment.
        log: file that gets what the command says on stderr.

    Raises:
        OperatorError: it could not judge (exit codes 2 and 3).
    """
    env = os.environ | {"SECURE_MCP_ENVIRONMENT": environment}
    program = [sys.executable, "-m", "ops.cli", command, *arguments, "--format", "markdown"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=_DEADLINE_S, check=False, env=env)  # noqa: S603
    log.write_text(done.stderr, encoding="utf-8")
    if done.returncode not in (ExitCode.OK, ExitCode.FINDINGS):
        said = " ".join(done.stderr.split())[:500]
        code = ExitCode(done.returncode) if done.returncode in (2, 3) else ExitCode.FINDINGS
        raise OperatorError(
            f"`secure-mcp {command}` could not judge: {said}", "Mend what it names, then run again.", code
        )
    return done.returncode, done.stdout


def changes_of(plan: Mapping[str, Any]) -> list[str]:
    """Return what a plan changes, one line each: actions and address, without values."""
    return [
        f"{'/'.join(change['change']['actions'])} {change['address']}"
        for change in plan.get("resource_changes", [])
        if change["change"]["actions"] not in (["no-op"], ["read"])
    ]


def plan_page(environment: str, root: str, changes: list[str], review: str) -> str:
    """Return the section of one plan."""
    listed = "\n".join(f"    {change}" for change in changes) or "    nothing"
    number = f"{len(changes)} change{'' if len(changes) == 1 else 's'}"
    details = f"<details><summary>Changes</summary>\n\n{listed}\n\n</details>\n"
    return f"### {root} of {environment}: {number}\n\n{review.strip()}\n\n{details}"


def joined(title: str, pages: list[str]) -> str:
    """Return sections as one page that fits into a comment."""
    text = f"## {title}\n\n" + "\n".join(pages)
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST].rpartition("\n")[0] + "\n\nThe rest is in the artefact of this pipeline.\n"
