"""The README's commands, typed as they stand there, and what it says they print."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.relay import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = README.partition("<!-- output of make up -->")[2].partition("<!-- end of output -->")[0]
# `make test` is what runs this; `make destroy` asks.
CALLS = re.findall(r"^    (\.venv/bin/secure-mcp (?:call|token|status)[^#\n]*)", README, re.MULTILINE)
WITHIN_S = 400

pytestmark = pytest.mark.requirement("DOCS-COMMANDS")


class Shell:
    """A shell in the repository, with a state folder and ports of the test's own and no engine."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.ports = {"8000": str(free_port()), "8080": str(free_port())}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_MCP_")}
        self.environment = inherited | {
            "SECURE_MCP_STATE_DIR": str(state),
            "SECURE_MCP_ENGINE": "no",
            "SECURE_MCP_PORT": self.ports["8000"],
            "SECURE_MCP_KEYCLOAK_PORT": self.ports["8080"],
            "SECURE_MCP_KEYCLOAK_MANAGEMENT_PORT": str(free_port()),
        }

    def type(self, command: str) -> str:
        """Run a command and return what it prints; the test fails unless it succeeds."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The stack as `make up` brings it up; at the end `make down` leaves no process."""
    shell = Shell(tmp_path_factory.mktemp("readme") / "state")
    try:
        shell.printed = shell.type("make up")
        yield shell
    finally:
        shell.type("make down")
    held = subprocess.run(["pgrep", "-f", str(shell.state)], stdout=subprocess.PIPE, text=True, check=False).stdout
    assert not held, f"make down left {held}"


def plain(text: str, shell: Shell) -> set[str]:
    """Return the lines without what differs from run to run: seconds, ports, the place of the state."""
    text = re.sub(r"\(\d+\.\d s\)", "(s)", text).replace(f"{shell.state}/", ".secure-mcp/dev/")
    for usual, own in shell.ports.items():
        text = text.replace(f"localhost:{own}", f"localhost:{usual}")
    return {line.strip() for line in text.splitlines() if line.strip()}


def test_make_up_prints_what_the_readme_shows(shell: Shell) -> None:
    shown = plain(SHOWN.partition("$ make up")[2].partition("That was a fresh clone")[0], shell)
    # How the realm is made depends on the machine, and the virtual environment is there already.
    depends = re.compile(r"virtual environment|local processes|install requirements|realm: |[✓ ]*terraform apply")
    missing = {line for line in shown if not depends.match(line)} - plain(shell.printed, shell)
    assert not missing, f"{missing} is not in:\n{shell.printed}"


def test_a_second_make_up_changes_nothing(shell: Shell) -> None:
    printed = shell.type("make up")
    assert "runs already" in printed
    assert "start the service ..." not in printed


@pytest.mark.requirement("METRICS")
def test_make_up_shows_its_metrics_on_the_loopback_interface_only(shell: Shell) -> None:
    facts = json.loads(shell.type(".venv/bin/secure-mcp top --once --json --interval 0.1"))
    assert (facts["workers"], facts["redis"]) == (facts["workers_ready"], "none")
    assert facts["workers"] > 0
    port = json.loads((shell.state / "environment.json").read_text(encoding="utf-8"))["metrics_port"]
    listening = {
        found.laddr.ip
        for found in psutil.net_connections(kind="tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port
    }
    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("command", CALLS)
def test_a_command_of_the_readme_succeeds(shell: Shell, command: str) -> None:
    assert shell.type(command.strip())


def test_there_are_commands_to_test() -> None:
    assert len(CALLS) >= 3
