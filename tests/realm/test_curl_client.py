"""The shell client of examples/: every case of its README against the running stack, and no secret on display."""

import os
import pty
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.realm import Stack

CLIENT = Path(__file__).resolve().parents[2] / "examples/curl-client"
CASES = sorted(path.stem for path in (CLIENT / "cases").glob("*.sh"))
A_TOKEN = "eyJ"  # base64url of '{"', with which every JWT begins

Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [
    pytest.mark.requirement("EXAMPLES-CURL"),
    pytest.mark.skipif(
        not (shutil.which("curl") and shutil.which("jq")), reason="no curl or no jq; apt-get install curl jq"
    ),
]


@pytest.fixture
def environment(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """The variables with which the client finds this stack, and nothing of the environment around."""
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    for client_id, secret in stack.secrets.items():
        (folder / client_id).write_text(secret, encoding="ascii")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "MCP_URL": stack.mcp_url,
        "MCP_SECRETS_DIR": str(folder),
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def run(script: str, *arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CLIENT / script, *arguments],
            env=environment | variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def test_every_case_of_the_readme_is_as_it_says(run: Run) -> None:
    result = run("test.sh")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "FAIL" not in result.stdout
    assert [case for case in CASES if f"\n{case}\n" not in result.stdout] == []


def test_the_full_example_goes_through(run: Run) -> None:
    result = run("full_example.sh")
    assert result.returncode == 0, result.stdout + result.stderr
    assert 'error="insufficient_scope"' in result.stdout
    assert A_TOKEN not in result.stdout


def test_a_token_goes_through_a_pipe(run: Run) -> None:
    token = run("get_token.sh").stdout
    assert token.startswith(A_TOKEN)
    for arguments in (["echo", "text=one two"], ["--rest", "echo", "text=one two"]):
        assert run("call_tool.sh", "--token", "-", *arguments, stdin=token).stdout == "one two\n"


def test_a_refusal_says_what_to_do(run: Run) -> None:
    result = run("call_tool.sh", "--client", "mcp-reader", "calculate", "expression=1")
    assert result.returncode == 1
    assert "mcp:write" in result.stderr
    nobody = run("call_tool.sh", "--token", "none", "echo", "text=x")
    assert nobody.returncode == 1
    assert "/.well-known/oauth-protected-resource/mcp" in nobody.stderr


@pytest.mark.parametrize(
    ("script", "arguments", "variables", "code"),
    [
        ("get_token.sh", ["--scope", "mcp:nothing"], {}, 1),
        ("get_token.sh", ["--client", "nobody"], {}, 2),
        ("get_token.sh", ["--nonsense"], {}, 2),
        ("call_tool.sh", [], {}, 2),
        ("call_tool.sh", ["--token", "none", "echo", "no-argument"], {}, 2),
        ("call_tool.sh", ["--token", "-", "echo"], {}, 2),
        ("call_tool.sh", ["--token", "eyJ.x.y", "echo"], {}, 2),
        ("get_token.sh", [], {"MCP_URL": "http://localhost:1/mcp"}, 3),
    ],
)
def test_exit_codes(run: Run, script: str, arguments: list[str], variables: dict[str, str], code: int) -> None:
    result = run(script, *arguments, **variables)
    assert result.returncode == code, result.stderr
    assert result.stderr


def test_another_spelling_of_the_url_is_refused_before_any_secret_is_sent(run: Run, stack: Stack) -> None:
    result = run("get_token.sh", MCP_URL=stack.mcp_url.replace("localhost", "127.0.0.1"))
    assert result.returncode == 1
    assert stack.mcp_url in result.stderr


def test_no_secret_is_an_argument_of_a_program(
    run: Run, stack: Stack, environment: dict[str, str], tmp_path: Path
) -> None:
    """Arguments are in the process list, for every user of the machine."""
    spies, record = tmp_path / "spies", tmp_path / "arguments"
    spies.mkdir()
    for name in ("awk", "base64", "cat", "curl", "head", "jq", "sed", "tr"):
        spy = spies / name
        spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{record}\nexec {shutil.which(name)} "$@"\n', encoding="utf-8")
        spy.chmod(0o755)
    path = f"{spies}:{environment['PATH']}"
    token = run("get_token.sh", PATH=path).stdout
    run("get_token.sh", "--decode", PATH=path)
    run("call_tool.sh", "--token", "-", "echo", "text=x", stdin=token, PATH=path)
    assert run("full_example.sh", PATH=path).returncode == 0
    arguments = record.read_text(encoding="utf-8")
    assert stack.mcp_url in arguments, "the spies were not called"
    assert A_TOKEN not in arguments
    assert [name for name, secret in stack.secrets.items() if secret in arguments] == []


@pytest.mark.parametrize("asked", [False, True])
def test_a_terminal_shows_the_token_only_when_asked(environment: dict[str, str], asked: bool) -> None:
    ours, terminal = pty.openpty()
    try:
        command = [CLIENT / "get_token.sh", *(["--show"] if asked else [])]
        subprocess.run(command, env=environment, stdout=terminal, stderr=terminal, timeout=60, check=True)
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(terminal)
    assert (A_TOKEN in shown) is asked
