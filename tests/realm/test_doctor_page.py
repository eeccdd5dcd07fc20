"""The runs in docs/doctor.md: SECURE_MCP_RECORD=yes writes them, without it they must still be what doctor says."""

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.admin import AdminClient
from ops.cli import app
from tests.realm.test_doctor_tokens import other_token, plain_server, tutorial
from tests.support.realm import Stack

__all__ = ["other_token", "tutorial"]  # fixtures

PAGE = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"

pytestmark = pytest.mark.requirement("DOCTOR")


def run(url: str, token: str, ports: dict[str, str]) -> str:
    """Return what doctor prints, without what differs from machine to machine."""
    result = CliRunner().invoke(app, ["doctor", url, "--token-file", "-"], input=token)
    text = result.stdout
    for own, usual in ports.items():
        text = text.replace(own, usual)
        url = url.replace(own, usual)
    text = re.sub(r"localhost is .*", "localhost is 127.0.0.1 (loopback)", text)
    text = re.sub(r"MCP server [+-]\d+ s", "MCP server +0 s", text)
    return f"$ secure-mcp doctor {url} --token-file -\n{text}$ echo $?\n{result.exit_code}\n"


def compare(name: str, text: str) -> None:
    """Write a run into the page, or compare it with what stands there; line breaks depend on the length of ports."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- recorded: {name} -->\n", "<!-- /recorded -->"
    head, _, rest = page.partition(begin)
    shown, _, tail = rest.partition(end)
    assert tail, f"docs/doctor.md has no run {name}"
    if os.environ.get("SECURE_MCP_RECORD"):
        indented = "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())
        PAGE.write_text(f"{head}{begin}\n{indented}\n{end}{tail}", encoding="utf-8")
        return
    assert shown.split() == text.split(), "run it with SECURE_MCP_RECORD=yes and read the difference"


def test_the_page_shows_a_stack_in_order(stack: Stack, automation_token: str) -> None:
    ports = {stack.public_url: "http://localhost:8000", stack.keycloak_url: "http://localhost:8080"}
    compare("clean", run(stack.mcp_url, automation_token, ports))


def test_the_page_shows_a_plain_fastmcp_server(
    tutorial: str,
    other_token: str,
    admin: AdminClient,
    tmp_path: Path,
) -> None:
    with plain_server(tutorial, tmp_path / "log") as url:
        ports = {
            url.removesuffix("/mcp"): "http://localhost:8000",
            tutorial.partition("/realms")[0]: "http://localhost:8080",
        }
        compare("fastmcp", run(url, other_token, ports))
