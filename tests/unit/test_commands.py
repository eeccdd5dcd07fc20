"""Every command of secure-mcp: help with examples that parse, JSON where data is printed, completion in the shell."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ops.cli import app

# These do something and print no data but progress; `token` prints a token, `ci plan` and `ci drift` pages that stay.
WITHOUT_JSON = {
    "apply",
    "backup",
    "ci apply",
    "ci comment",
    "ci drift",
    "ci issue",
    "ci plan",
    "destroy",
    "down",
    "metrics",  # text in the format of Prometheus
    "restore",
    "secrets init",
    "secrets install",
    "secrets rotate",
    "snapshot",
    "swarm backup",
    "swarm destroy",
    "swarm door",
    "swarm restore",
    "swarm rotate",
    "swarm up",
    "token",
}


def commands() -> dict[str, Any]:
    """Return every command by its words."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        if hasattr(command, "commands"):
            for name, inner in command.commands.items():
                yield from walk(inner, (*words, name))
        else:
            yield " ".join(words), command

    return dict(walk(typer.main.get_command(app), ()))


COMMANDS = commands()


def options(command: Any) -> set[str]:
    """Return the long and short names of a command's options."""
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def examples(command: Any) -> list[str]:
    """Return the lines of the examples in a command's help."""
    return [line.strip() for line in (command.help or "").partition("Examples:")[2].splitlines() if line.strip()]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_a_command_call_it_and_parse(name: str) -> None:
    """An example that names an option that is gone would fail here; nothing is run."""
    lines = examples(COMMANDS[name])
    assert lines, f"secure-mcp {name} --help has no `Examples:`"
    called = []
    for line in lines:
        without_remark = re.sub(r"  +\(.*\)$", "", line)
        for part in re.split(r"\||&&", without_remark):
            words = [word for word in shlex.split(part.partition(">")[0]) if not re.match(r"[A-Z_]+=", word)]
            if words[:1] == ["secure-mcp"]:
                called.append(parsed(words[1:]))
    assert name in called, f"no example calls {name}: {called}"


def parsed(words: list[str]) -> str:
    """Parse the words of a call down to its command and return the name; the test fails where they do not parse."""
    command, name = typer.main.get_command(app), []
    while hasattr(command, "commands"):
        assert words[0] in command.commands, f"there is no command {words[0]!r}"
        command, name, words = command.commands[words[0]], [*name, words[0]], words[1:]
    command.make_context(" ".join(name), list(words), resilient_parsing=True)
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert used <= options(command) | {"--help"}, f"{name} has no {used - options(command)}"
    return " ".join(name)


def test_what_prints_data_prints_json_too() -> None:
    with_json = {
        name for name, command in COMMANDS.items() if any("--json" in option.opts for option in command.params)
    }
    assert set(COMMANDS) - with_json == WITHOUT_JSON


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_terminal_and_says_what_each_option_is(name: str) -> None:
    command = COMMANDS[name]
    context = command.make_context(f"secure-mcp {name}", [], resilient_parsing=True, max_content_width=120)
    text = command.get_help(context)
    assert max(map(len, text.splitlines())) <= 120
    silent = [option.name for option in command.params if option.param_type_name == "option" and not option.help]
    assert silent == [], f"options without a word about them: {silent}"


def run(*arguments: str, **variables: str) -> str:
    """Run the command in this process and return what it prints."""
    result = CliRunner().invoke(app, arguments, env=variables, prog_name="secure-mcp")
    assert result.exit_code == 0, result.output
    return result.stdout


def test_completion_installs_itself_and_works_in_bash(tmp_path: Path) -> None:
    script = """
      secure-mcp --install-completion
      . "$HOME/.bashrc"
      COMP_WORDS=(secure-mcp doc) COMP_CWORD=1
      _secure_mcp_completion secure-mcp
      echo "offered: ${COMPREPLY[*]}"
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        env={"HOME": str(tmp_path), "PATH": path, "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "offered: doctor", done.stdout + done.stderr


def completed(words: str) -> set[str]:
    """Return what bash is offered after these words."""
    typed = {"COMP_WORDS": f"secure-mcp {words}", "COMP_CWORD": str(len(words.split(" ")))}
    return set(run(_SECURE_MCP_COMPLETE="complete_bash", **typed).split())


def test_completion_offers_every_command_and_its_options() -> None:
    assert {name.split()[0] for name in COMMANDS} == completed("")
    assert completed("doc") == {"doctor"}
    assert completed("secrets ") == {name.split()[1] for name in COMMANDS if name.startswith("secrets ")}
    assert {"--token-file", "--json", "--threshold"} <= completed("doctor --")
