"""Official clients with nothing but the URL, at a realm that lets loopback clients register (RFC 7591), in both eras.

Discovery, registration, login and consent in Chromium, a call, a refusal, the step-up, a refresh, and its reuse.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from ops.realm import render_lock
from tests.browser.desk import Desk
from tests.browser.python_stranger import PythonStranger
from tests.browser.typescript_stranger import TypeScriptStranger
from tests.support.fixtures import ServiceStarter, realm_values
from tests.support.http import HANDSHAKE, MODERN, Service, challenge
from tests.support.oauth import ISSUED, REFRESH_TOKEN, claims_of, request_token
from tests.support.realm import Stack
from tests.support.registration import opened
from tests.support.relay import free_port
from tests.support.secrecy import Secrets, secrets_in

pytestmark = pytest.mark.requirement("MCP-STRANGERS", "MCP-R3", "MCP-R16", "MCP-R17", "MCP-A2", "MCP-A6")

CLIENTS = {
    "python-2026-07-28": (PythonStranger, MODERN),
    "python-2025-11-25": (PythonStranger, HANDSHAKE),
    "typescript-client-2026-07-28": (TypeScriptStranger, MODERN),
    "typescript-client-2025-11-25": (TypeScriptStranger, HANDSHAKE),
}
# Not among them: @modelcontextprotocol/sdk 1.32.2, which does not step up. It has a test of its own.


@pytest.fixture(scope="module")
def open_stack(
    keycloak, admin, start_service: ServiceStarter, client_secrets: dict[str, str], tmp_path_factory
) -> Iterator[Stack]:
    """A realm that loopback clients may register in, and a service of its own that trusts it."""
    folder = tmp_path_factory.mktemp("strangers")
    port = free_port()
    url = f"http://localhost:{port}"
    stack = Stack(keycloak.url, admin, Secrets(client_secrets), name="strangers-realm", public_url=url)
    stack.service_log = folder / "service.log"
    admin.post("", json=opened(render_lock(realm_values(url, client_secrets), stack.name)))
    variables = {
        "SECURE_MCP_PORT": str(port),
        "SECURE_MCP_AUDIENCE": stack.mcp_url,
        "SECURE_MCP_ISSUER": stack.issuer,
    }
    with start_service(stack.service_log, **variables) as service:
        service.process.wait_ready(60)
        yield stack
    admin.delete(f"/{stack.name}")
    assert not secrets_in(stack, stack.service_log)


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def stranger(request: pytest.FixtureRequest, open_stack: Stack, page: Page, tmp_path) -> Any:
    """A client, and a person with a browser beside it."""
    kind, flavour = request.param
    desk = Desk(page, open_stack.add_person(), open_stack.keycloak_url)
    return kind(open_stack.mcp_url, flavour, desk, tmp_path)


def asked_for(desk: Desk) -> list[set[str]]:
    """The MCP scopes of each authorization request, one by one."""
    queries = [parse_qs(urlsplit(url).query) for url in desk.opened]
    assert all(query["code_challenge_method"] == ["S256"] for query in queries)
    return [{name for name in query["scope"][0].split() if name.startswith("mcp:")} for query in queries]


def assign(stack: Stack, client_id: str, scope: str) -> None:
    """Let a registered client ask for one scope more, as an operator does in Keycloak's console."""
    found = stack.admin.get(f"/{stack.name}/clients", clientId=client_id)[0]
    scopes = {one["name"]: one["id"] for one in stack.admin.get(f"/{stack.name}/client-scopes")}
    stack.admin.put(f"/{stack.name}/clients/{found['id']}/optional-client-scopes/{scopes[scope]}", json={})


def test_a_stranger_gets_in_is_refused_steps_up_and_refreshes(open_stack: Stack, contract, stranger) -> None:
    seen = stranger.meet(widen=lambda client_id: assign(open_stack, client_id, "mcp:write"))

    # Registered by itself, logged in by browser with consent, called.
    registered = open_stack.admin.get(f"/{open_stack.name}/clients", clientId=seen.client_id)[0]
    assert (registered["publicClient"], registered["consentRequired"]) == (True, True)
    assert contract.scopes["mcp:read"].consent in stranger.desk.consents[0]
    assert seen.echoed == "hello"

    # Keycloak gives a client no scope beyond those that it registered with, and both say so by the book.
    assert seen.refused == {"error": "invalid_scope", "iss": open_stack.issuer}

    # Once the scope is assigned, the client's own step-up works, and asks for what it had as well.
    assert float(seen.computed) == 42
    assert contract.scopes["mcp:write"].consent in stranger.desk.consents[1]
    assert [scopes & {"mcp:write"} for scopes in asked_for(stranger.desk)] == [set(), {"mcp:write"}, {"mcp:write"}]

    # Refreshed: a new refresh token, and the old one is dead, and takes its successor with it.
    before, after = seen.refresh_tokens[-2:]
    assert before != after
    assert float(seen.computed_after_refresh) == 42
    for token in (before, after):
        reused = request_token(open_stack.token_endpoint, REFRESH_TOKEN, client_id=seen.client_id, refresh_token=token)
        assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant"), reused.text


def test_the_older_typescript_library_gets_in_and_gives_up_at_the_step_up(
    open_stack: Stack, page: Page, tmp_path
) -> None:
    """Where it holds a refresh token it answers a 403 with a refresh, which brings no scope: docs/clients.md."""
    desk = Desk(page, open_stack.add_person(), open_stack.keycloak_url)
    stranger = TypeScriptStranger(open_stack.mcp_url, "sdk", desk, tmp_path)
    words = stranger.fail()
    assert stranger.meeting.echoed == "hello"
    assert "403 after trying upscoping" in words


@pytest.mark.requirement("MCP-A5")
def test_a_stranger_that_registered_with_few_scopes_is_told_what_to_do(open_stack: Stack, page: Page, tmp_path) -> None:
    desk = Desk(page, open_stack.add_person(), open_stack.keycloak_url)
    token = PythonStranger(open_stack.mcp_url, MODERN, desk, tmp_path).only_call()
    refused = Service(open_stack.public_url).mcp.call("calculate", {"expression": "1"}, token=token)
    told = challenge(refused)
    assert (refused.status_code, told["scope"]) == (403, "mcp:write")
    assert "Should the authorization server answer invalid_scope" in told["error_description"]
    assert "register it again without naming any" in told["error_description"]


def test_its_token_is_for_this_server_only(open_stack: Stack, service, stack: Stack, page: Page, tmp_path) -> None:
    """The same Keycloak, another realm and another server: what the stranger got there opens nothing here."""
    desk = Desk(page, open_stack.add_person(), open_stack.keycloak_url)
    stranger = PythonStranger(open_stack.mcp_url, MODERN, desk, tmp_path)
    token = stranger.only_call()
    assert claims_of(token)["aud"] is not None
    refused = service.mcp.call("echo", {"text": "x"}, token=token)
    assert refused.status_code == 401
    assert token in ISSUED
