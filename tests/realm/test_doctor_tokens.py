"""secure-mcp doctor with tokens of the real Keycloak: what is wrong with a token, and what a server does not check."""

import base64
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.admin import AdminClient
from ops.keycloak import KeycloakServer
from tests.support import client as http
from tests.support.doctor import examine, found, known
from tests.support.faulty import Faulty
from tests.support.login import Person
from tests.support.oauth import CLIENT_CREDENTIALS, request_token
from tests.support.realm import Stack, answered
from tests.support.relay import free_port
from tests.support.until import until

pytestmark = pytest.mark.requirement("DOCTOR")

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = secrets.token_urlsafe(32)
POLICIES = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"


def claims(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def test_a_token_without_the_audience(stack: Stack, scratch_client) -> None:
    with scratch_client([]) as client_id:
        code, report = examine(stack.mcp_url, token=stack.token_for(client_id))
    assert (code, found(report)) == (1, {"TOKEN-AUDIENCE", "TOKEN-SCOPE"})


def test_an_id_token(stack: Stack, person: Person, log_in) -> None:
    id_token = log_in(person, scope="openid mcp:read")["id_token"]
    assert "TOKEN-TYPE" in found(examine(stack.mcp_url, token=id_token)[1])


def test_a_token_that_lacks_a_scope_and_the_client_that_will_not_say_so(stack: Stack, scratch_client) -> None:
    with scratch_client(["mcp-audience"]) as client_id:
        report = examine(stack.mcp_url, token=stack.token_for(client_id))[1]
    assert found(report) == {"TOKEN-SCOPE"}
    assert "anthropics/claude-code#73712" in known(report)


def test_a_token_of_another_issuer_is_not_sent(stack: Stack, master_token: str) -> None:
    with Faulty(stack.public_url, ask=(asked := []).append) as front:
        assert "TOKEN-ISSUER" in found(examine(f"{front.origin}/mcp", token=master_token)[1])
    assert asked
    assert not [headers for headers in asked if master_token in headers.get("Authorization", "")]


def test_an_expired_token(stack: Stack, changed_client) -> None:
    with changed_client("mcp-automation", {"access.token.lifespan": "1"}):
        token = stack.token_for("mcp-automation")
    # The service allows 30 seconds between clocks, so it may still take the token; its time is over all the same.
    until(lambda: claims(token)["exp"] < time.time(), 10, "the token expires")
    assert "TOKEN-TIME" in found(examine(stack.mcp_url, token=token)[1])


def test_a_token_that_lives_too_long(stack: Stack, changed_client) -> None:
    with changed_client("mcp-automation", {"access.token.lifespan": "7200"}):
        token = stack.token_for("mcp-automation")
    assert "TOKEN-LONG" in found(examine(stack.mcp_url, token=token)[1])


def test_a_server_that_takes_any_token(stack: Stack, automation_token: str) -> None:
    """A proxy in front swaps every token for a good one: nothing that is sent is checked any more."""

    def swap(headers: dict[str, str]) -> None:
        if "Authorization" in headers:
            headers["Authorization"] = f"Bearer {automation_token}"

    with Faulty(stack.public_url, ask=swap) as front:
        report = examine(f"{front.origin}/mcp", token=automation_token)[1]
    # The proxy has another URL than the token's audience.
    assert found(report) == {"CHALLENGE-GARBAGE", "SIGNATURE-UNCHECKED", "AUDIENCE-OTHER"}


@pytest.fixture(scope="module")
def tutorial(keycloak: KeycloakServer, admin: AdminClient) -> Iterator[str]:
    """The issuer of a realm as Keycloak makes it, with the client of some other application."""
    admin.post("", json={"realm": "tutorial", "enabled": True})
    client = {"clientId": "other-app", "secret": SECRET, "serviceAccountsEnabled": True, "standardFlowEnabled": False}
    admin.post("/tutorial/clients", json=client)
    try:
        yield f"{keycloak.url}/realms/tutorial"
    finally:
        admin.delete("/tutorial")


@pytest.fixture
def other_token(tutorial: str) -> str:
    """A token that the other application got for itself."""
    endpoint = f"{tutorial}/protocol/openid-connect/token"
    answer = request_token(endpoint, CLIENT_CREDENTIALS, client_id="other-app", client_secret=SECRET, scope="openid")
    return answered(answer)["access_token"]


@contextmanager
def plain_server(issuer: str, log: Path, *, with_audience: bool = False) -> Iterator[str]:
    port = free_port()
    url = f"http://localhost:{port}/mcp"
    command = [
        sys.executable,
        "-m",
        "tests.support.plain_fastmcp",
        str(port),
        issuer,
        *([url] if with_audience else []),
    ]
    with log.open("wb") as output, subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=output) as process:
        try:
            until(lambda: _answers(url, process), 60, f"FastMCP answers, see {log}")
            yield url
        finally:
            process.terminate()


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "FastMCP ended"
    try:
        return http.get(url).status_code == httpx.codes.UNAUTHORIZED
    except httpx.TransportError:
        return False


def test_a_plain_fastmcp_server_checks_no_audience(tutorial: str, other_token: str, tmp_path: Path) -> None:
    with plain_server(tutorial, tmp_path / "log") as url:
        suspected = found(examine(url)[1])
        code, report = examine(url, token=other_token)
    assert suspected == {"FASTMCP-DEFAULTS", "HOST", "ORIGIN"}
    assert (code, found(report)) == (1, suspected | {"AUDIENCE-UNCHECKED"})
    named = next(one["sentence"] for one in report["findings"] if one["rule"] == "AUDIENCE-UNCHECKED")
    assert named.startswith(
        "The server accepts a token that is not for it: it does not check the audience (aud is account"
    )


def test_with_an_audience_the_same_server_is_not_accused(tutorial: str, other_token: str, tmp_path: Path) -> None:
    with plain_server(tutorial, tmp_path / "log", with_audience=True) as url:
        report = examine(url, token=other_token)[1]
    assert "AUDIENCE-UNCHECKED" not in found(report)
    assert "TOKEN-AUDIENCE" in found(report)


@contextmanager
def open_registration(admin: AdminClient) -> Iterator[None]:
    """Let anybody register in the tutorial realm, as many tutorials advise."""
    rows = admin.get("/tutorial/components", type=POLICIES)
    policy = next(row for row in rows if row["providerId"] == "trusted-hosts" and row["subType"] == "anonymous")
    admin.delete(f"/tutorial/components/{policy['id']}")
    try:
        yield
    finally:
        admin.post("/tutorial/components", json={key: value for key, value in policy.items() if key != "id"})


def test_the_dry_run_tells_an_open_registration_and_makes_no_client(
    tutorial: str, admin: AdminClient, tmp_path: Path
) -> None:
    before = {client["clientId"] for client in admin.get("/tutorial/clients")}
    with plain_server(tutorial, tmp_path / "log") as url, open_registration(admin):
        report = examine(url)[1]
    assert {"REGISTRATION-OPEN", "REGISTRATION-SCOPE"} <= found(report, "low")
    assert {"keycloak/keycloak#42339", "keycloak/keycloak#8863", "turnstonelabs/turnstone#1082"} <= known(report)
    assert {client["clientId"] for client in admin.get("/tutorial/clients")} == before


def test_the_dry_run_can_be_left_out(stack: Stack) -> None:
    states = {hop["name"]: hop for hop in examine(stack.mcp_url, "--no-registration")[1]["hops"]}
    assert states["registration"]["state"] == "skipped"
