"""The protocol's own judges: @modelcontextprotocol/conformance and the Inspector's command line, of pinned versions."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.desk import Desk
from tests.support import node
from tests.support.http import MODERN
from tests.support.injection import injecting_proxy
from tests.support.login import Person
from tests.support.realm import Stack
from tests.support.relay import free_port

EXPECTED = Path(__file__).with_name("conformance_failures.yaml")
SCENARIOS = ("http-header-validation", "dns-rebinding-protection", "caching", "server-stateless", "tools-list")
WITHIN_S = 120


@pytest.fixture(autouse=True)
def installed() -> None:
    if reason := node.missing_node():
        pytest.skip(reason)


@pytest.fixture
def proxy(stack: Stack) -> Iterator[str]:
    """The MCP endpoint for a judge that cannot send a token."""
    with injecting_proxy(stack.public_url, lambda: stack.token_for("mcp-automation")) as origin:
        yield f"{origin}/mcp"


def run(home: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = node.command(program, *arguments)
    options = {"capture_output": True, "text": True, "timeout": WITHIN_S, "stdin": subprocess.DEVNULL}
    return subprocess.run(command, cwd=home, env=node.environment(home), check=False, **options)


@pytest.mark.requirement("MCP-CONFORMANCE")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_server_passes_each_scenario_that_a_product_can(proxy: str, tmp_path: Path, scenario: str) -> None:
    """Expected failures stand in conformance_failures.yaml; one that is none any more fails the run as well."""
    options = ("--scenario", scenario, "--spec-version", MODERN, "--expected-failures", str(EXPECTED))
    done = run(tmp_path, "conformance", "server", "--url", proxy, *options)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert "Passed: 0/" not in done.stdout


@pytest.mark.requirement("MCP-CONFORMANCE")
def test_the_judge_fails_what_it_should(tmp_path: Path, stack: Stack) -> None:
    """Without a token every scenario fails, so a pass above says something."""
    url = ("--url", stack.mcp_url, "--scenario", "tools-list", "--spec-version", MODERN)
    assert run(tmp_path, "conformance", "server", *url).returncode == 1


@pytest.mark.requirement("MCP-CONFORMANCE")
def test_the_authorization_server_passes(stack: Stack, person: Person, page: Page, tmp_path: Path) -> None:
    """Metadata and the code flow, logged in by Chromium, with the resource of the MCP server."""
    desk = Desk(page, person, stack.keycloak_url)
    results = tmp_path / "results"
    options = ("--client-id", "mcp-cli", "--resource", stack.mcp_url, "-p", str(free_port()), "-o", str(results))
    command = node.command("conformance", "authorization", "--url", stack.issuer, *options)

    def judge() -> str:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        said = []
        with subprocess.Popen(command, text=True, cwd=tmp_path, env=node.environment(tmp_path), **pipes) as process:
            for line in process.stdout:
                said.append(line)
                if line.startswith(stack.issuer) and "/auth?" in line:
                    desk.open(line.strip())
            assert process.wait(WITHIN_S) == 0, "".join(said)
        return "".join(said)

    said = desk.attend(judge)
    assert "0 failed" in said.splitlines()[-1], said
    checks = [check for file in results.rglob("checks.json") for check in json.loads(file.read_text(encoding="utf-8"))]
    assert {check["id"]: check["status"] for check in checks} == {
        "authorization-server-metadata": "SUCCESS",
        "authorization-server-metadata-cimd": "WARNING",  # closed by default: registration.metadata_documents
        "authorization-code-grant": "SUCCESS",
    }


@pytest.mark.requirement("MCP-CLIENTS")
@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_the_inspector_lists_and_calls_a_tool(stack: Stack, tmp_path: Path, era: str) -> None:
    token = stack.token_for("mcp-automation")
    common = ("--cli", stack.mcp_url, "--protocol-era", era, "--header", f"Authorization: Bearer {token}")
    listed = run(tmp_path, "mcp-inspector", *common, "--method", "tools/list", "--format", "json", "-q")
    assert listed.returncode == 0, listed.stderr
    assert '"calculate"' in listed.stdout
    arguments = ("--tool-name", "calculate", "--tool-args-json", '{"expression":"6*7"}')
    called = run(tmp_path, "mcp-inspector", *common, "--method", "tools/call", *arguments, "--format", "json", "-q")
    assert called.returncode == 0, called.stderr
    assert '"42"' in called.stdout


@pytest.mark.requirement("MCP-CLIENTS")
def test_the_inspector_without_a_token_is_asked_to_log_in(stack: Stack, tmp_path: Path) -> None:
    refused = run(tmp_path, "mcp-inspector", "--cli", stack.mcp_url, "--stored-auth-only", "--method", "tools/list")
    assert refused.returncode != 0
    assert "auth_required" in refused.stdout + refused.stderr
