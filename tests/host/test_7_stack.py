"""The full path: the machine's Nginx with its public certificate, in front of the real stack."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

from tests.host.conftest import Converged
from tests.host.machine import AUTH, MCP, Machine
from tests.protocol.test_official_client import Desktop, Storage
from tests.support.browser import Browser
from tests.support.login import CLI_REDIRECT, Person
from tests.support.until import until

STATE = "/var/lib/secure-mcp/staging"
MCP_URL = f"https://{MCP}/mcp"
ISSUER = f"https://{AUTH}/realms/mcp-realm"
RUN = "/opt/secure-mcp/current/.venv/bin/python"
ENVIRONMENT = f"SECURE_MCP_ENVIRONMENT=staging SECURE_MCP_STATE_DIR={STATE}"
MAKE_PERSON = """
import sys
from ops.admin import AdminClient
from ops.containers.environment import find_environment
from ops.environment import REALM
from ops.secrets import BOOTSTRAP_ADMIN, read_secret
from ops.users import ensure_demo_user
found = find_environment()
with AdminClient(found.operator_url, "master", BOOTSTRAP_ADMIN, read_secret(found.secrets, BOOTSTRAP_ADMIN)) as admin:
    ensure_demo_user(admin, REALM, sys.argv[1])
"""


def context(converged: Converged) -> ssl.SSLContext:
    """Return a context that trusts the ACME authority and nobody else."""
    return ssl.create_default_context(cafile=str(converged.authority))


def token(machine: Machine, https: httpx.Client, client_id: str) -> str:
    """Return a token of a service account, got through the edge with the secret that the machine keeps."""
    secret = machine.shell(f"cat {STATE}/secrets/{client_id}").strip()
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    answer = https.post(f"{ISSUER}/protocol/openid-connect/token", data=form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def echo(https: httpx.Client, bearer: str | None) -> httpx.Response:
    """Call a tool by the REST view."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return https.post(f"https://{MCP}/api/v1/tools/echo", json={"text": "x"}, headers=headers)


@pytest.fixture
def https(converged: Converged, names: None) -> Iterator[httpx.Client]:
    with httpx.Client(verify=context(converged), trust_env=False, timeout=30) as client:
        yield client


@pytest.mark.requirement("HOST-STACK")
def test_the_containers_run_and_publish_nothing(converged: Converged) -> None:
    ports = converged.machine.shell("docker ps --format '{{.Names}} {{.Status}} {{.Ports}}'")
    lines = ports.strip().splitlines()
    assert len(lines) == 4
    assert all("(healthy)" in line and "->" not in line for line in lines), ports


@pytest.mark.requirement("HOST-STACK")
def test_a_call_is_answered_and_one_without_a_token_is_not(converged: Converged, https: httpx.Client) -> None:
    assert echo(https, None).status_code == 401
    assert echo(https, token(converged.machine, https, "mcp-automation")).status_code == 200
    refused = https.post(
        f"https://{MCP}/api/v1/tools/calculate",
        json={"expression": "6*7"},
        headers={"Authorization": f"Bearer {token(converged.machine, https, 'mcp-reader')}"},
    )
    assert refused.status_code == 403


@pytest.mark.requirement("HOST-STACK")
@pytest.mark.parametrize("path", ["/admin/", "/realms/master/.well-known/openid-configuration", "/metrics", "/health"])
def test_administration_is_closed_from_outside_and_open_from_within(
    converged: Converged, https: httpx.Client, path: str
) -> None:
    assert https.get(f"https://{AUTH}{path}").status_code == 404
    inside = converged.machine.shell(
        f"curl --silent --cacert {STATE}/tls/authority.crt -o /dev/null -w '%{{http_code}}'"
        " https://localhost:9443/realms/master/.well-known/openid-configuration"
    )
    assert inside == "200"


@pytest.mark.requirement("HOST-STACK", "HOST-EDGE")
def test_the_address_of_a_caller_is_known_and_cannot_be_lied_about(converged: Converged, https: httpx.Client) -> None:
    bearer = token(converged.machine, https, "mcp-automation")
    lies = {"Authorization": f"Bearer {bearer}", "X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}
    https.post(f"https://{MCP}/api/v1/tools/echo", json={"text": "x"}, headers=lies)
    log = converged.machine.shell("docker logs --tail 20 secure-mcp-staging-service 2>&1")
    assert converged.machine.gateway in log
    assert "203.0.113.9" not in log


class Visitor(Desktop):
    """A person at a desktop client somewhere on the internet."""

    def __init__(self, person: Person, browser: Browser) -> None:
        self.person, self.browser = person, browser
        self.storage = Storage(ISSUER)
        self.asked: list[str] = []
        self.answer: dict[str, str] = {}
        self.auth = OAuthClientProvider(
            MCP_URL,
            OAuthClientMetadata(redirect_uris=[CLI_REDIRECT], token_endpoint_auth_method="none"),
            self.storage,
            redirect_handler=self.open_browser,
            callback_handler=self.callback,
        )


def talk(converged: Converged, auth: httpx2.Auth, what: Callable[[Client], Any], mode: str = "auto") -> Any:
    """Connect the official client, run `what(client)` and return its result."""

    async def run() -> Any:
        async with (
            httpx2.AsyncClient(auth=auth, timeout=60, verify=context(converged), trust_env=False) as http,
            Client(streamable_http_client(MCP_URL, http_client=http), mode=mode) as client,
        ):
            return await what(client)

    return asyncio.run(run())


@pytest.mark.requirement("HOST-PATH")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_logs_in_and_calls_a_tool(converged: Converged, names: None, mode: str) -> None:
    person = Person("demo", "a-password-of-this-test-0")
    converged.machine.shell(
        f"cd /opt/secure-mcp/current && {ENVIRONMENT} {RUN} - {person.password} <<'PY'{MAKE_PERSON}PY"
    )
    with Browser(f"https://{AUTH}") as browser:
        browser.client = httpx.Client(verify=context(converged), trust_env=False, timeout=60)
        visitor = Visitor(person, browser)

        async def call(client: Client) -> str:
            tools = await client.list_tools()
            assert "echo" in {tool.name for tool in tools.tools}
            return str((await client.call_tool("echo", {"text": "through the edge"})).content[0].text)

        assert talk(converged, visitor.auth, call, mode) == "through the edge"


@pytest.mark.requirement("HOST-STACK")
def test_what_a_container_publishes_cannot_be_reached_from_outside(converged: Converged) -> None:
    machine = converged.machine
    image = machine.shell("docker images --quiet redis:8.2.8-bookworm").strip()
    machine.shell(
        f"docker run --detach --name careless --publish 0.0.0.0:6399:6379 {image} redis-server --protected-mode no"
    )
    try:
        until(lambda: machine.run("bash", "-c", "echo PING >/dev/tcp/127.0.0.1/6399").returncode == 0, 30, "it listens")
        with socket.socket() as plain:
            plain.settimeout(2)
            assert plain.connect_ex((machine.address, 6399)) != 0
    finally:
        machine.shell("docker rm --force careless")


@pytest.mark.requirement("HOST-BACKUP")
def test_a_backup_is_made_checked_copied_and_counted(converged: Converged) -> None:
    machine = converged.machine
    machine.shell("mkdir -p /srv/elsewhere")
    converged.playbook.converge("--tags=backup", values={"backup_copy_command": 'cp "$1" "$1.sha256" /srv/elsewhere/'})
    machine.shell("systemctl start secure-mcp-backup", timeout=600)
    machine.shell("cd /srv/elsewhere && sha256sum --check --quiet *.sha256 && ls *.tar.age")
    metrics = machine.shell("curl --silent http://127.0.0.1:9100/metrics")
    assert "secure_mcp_backup_last_success_seconds" in metrics
    assert "secure_mcp_certificate_not_after_seconds" in metrics
    machine.shell("rm -r /srv/elsewhere")
    assert machine.run("systemctl", "start", "secure-mcp-backup").returncode != 0, "a failed copy is a failed backup"
    machine.shell("rm /etc/secure-mcp/backup-copy && systemctl reset-failed")


@pytest.mark.requirement("HOST-STACK")
def test_no_secret_is_on_the_machine_but_where_it_belongs(converged: Converged) -> None:
    machine = converged.machine
    found = machine.shell(
        f"for file in {STATE}/secrets/*; do"
        f" grep -rlF -f $file /etc /usr/local /var/log /root {STATE}/terraform || true;"
        f" done; journalctl --no-pager | grep -cF -f {STATE}/secrets/terraform || true"
    )
    assert found.strip() == "0"
    assert machine.shell(f"stat -c %a {STATE} {STATE}/secrets").split() == ["700", "700"]
    assert set(machine.shell(f"stat -c %a {STATE}/secrets/*").split()) == {"400"}
    state = json.loads(machine.shell(f"cat {STATE}/environment.json"))
    assert state["edge"] == "host"
