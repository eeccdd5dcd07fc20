"""A session that ends at Keycloak ends here within seconds, at every worker (OIDC Back-Channel Logout 1.0)."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import client
from tests.support.fixtures import ServiceStarter
from tests.support.http import Service, challenge, text_of
from tests.support.listener import Listener
from tests.support.login import Person
from tests.support.oauth import claims_of
from tests.support.realm import Stack
from tests.support.relay import free_port
from tests.support.until import until

WITHIN_S = 5


def is_refused(service: Service, token: str) -> bool:
    return service.use("echo", {"text": "hello"}, token).status_code == 401


@pytest.mark.requirement("OIDC-BCL", "OPS-REVOCATION")
def test_a_session_that_an_administrator_ends_is_refused(
    stack: Stack, service: Service, person: Person, log_in
) -> None:
    ended, other = (log_in(person, scope="mcp:read")["access_token"] for _ in range(2))
    assert text_of(service.use("echo", {"text": "hello"}, ended)) == "hello"
    stack.admin.delete(f"/{stack.name}/sessions/{claims_of(ended)['sid']}")
    until(lambda: is_refused(service, ended), WITHIN_S, "the refusal of a token whose session ended")
    refused = service.use("echo", {"text": "hello"}, ended)
    assert challenge(refused)["error"] == "invalid_token"
    assert challenge(refused)["error_description"] == "The session of the access token has ended"
    assert text_of(service.use("echo", {"text": "hello"}, other)) == "hello", "another session of the person lives on"


@pytest.mark.requirement("OIDC-BCL", "OPS-REVOCATION")
def test_a_person_who_logs_out_is_out(stack: Stack, service: Service, person: Person, log_in) -> None:
    tokens = log_in(person, scope="openid mcp:read")
    assert text_of(service.use("echo", {"text": "hello"}, tokens["access_token"])) == "hello"
    form = {"client_id": "mcp-cli", "refresh_token": tokens["refresh_token"]}
    client.post(f"{stack.issuer}/protocol/openid-connect/logout", data=form)
    until(lambda: is_refused(service, tokens["access_token"]), WITHIN_S, "the refusal after a logout")


@pytest.mark.requirement("OIDC-BCL")
@pytest.mark.parametrize("kind", ["access token", "ID token", "nonsense"])
def test_nothing_but_a_logout_token_ends_a_session(service: Service, person: Person, log_in, kind: str) -> None:
    tokens = log_in(person, scope="openid mcp:read")
    sent = {"access token": tokens["access_token"], "ID token": tokens["id_token"], "nonsense": "a.b.c"}[kind]
    answer = client.post(f"{service.url}/backchannel-logout", data={"logout_token": sent})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert text_of(service.use("echo", {"text": "hello"}, tokens["access_token"])) == "hello"


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis of this test's own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.requirement("OPS-REVOCATION")
def test_every_worker_refuses_a_session_that_one_was_told_of(
    stack: Stack, start_service: ServiceStarter, person: Person, log_in, changed_client, redis_url: str
) -> None:
    """Keycloak tells one service; another, with three workers, learns of it through Redis only."""
    token = log_in(person, scope="mcp:read")["access_token"]
    with (
        start_service(SECURE_MCP_REDIS_URL=redis_url) as told,
        start_service(SECURE_MCP_REDIS_URL=redis_url, SECURE_MCP_WORKERS="3") as others,
    ):
        for each in (told, others):
            each.process.wait_ready(60)
        assert text_of(others.use("echo", {"text": "hello"}, token)) == "hello"
        # Only the usual service has the address that Keycloak calls, so its logout token is handed on by the test.
        logout_token = _logout_token(stack, token, changed_client)
        answer = client.post(f"{told.url}/backchannel-logout", data={"logout_token": logout_token})
        assert answer.status_code == 200, answer.text
        until(
            lambda: all(is_refused(others, token) for _ in range(12)), WITHIN_S, "the refusal by each of three workers"
        )


def _logout_token(stack: Stack, token: str, changed_client) -> str:
    """Let Keycloak send its logout token to a listener of the test, and return it."""
    with Listener() as listener, changed_client("mcp-cli", {"backchannel.logout.url": listener.url}):
        stack.admin.delete(f"/{stack.name}/sessions/{claims_of(token)['sid']}")
        form = until(lambda: listener.forms and listener.forms[0], WITHIN_S, "Keycloak's logout token")
    return form["logout_token"]
