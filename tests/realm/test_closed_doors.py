"""What the realm does not do: password grant, anonymous registration, endless guessing, other clients' secrets."""

import pytest

from tests.support import client
from tests.support.login import Person
from tests.support.oauth import CLIENT_CREDENTIALS, request_token
from tests.support.realm import Stack

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.mark.requirement("REALM-NO-PASSWORD-GRANT")
@pytest.mark.parametrize(
    "client_id", ["mcp-cli", "mcp-console", "mcp-automation", "mcp-server", "terraform", "auditor"]
)
def test_no_client_may_take_a_password(stack: Stack, person: Person, client_id: str) -> None:
    refused = request_token(
        stack.token_endpoint,
        "password",
        client_id=client_id,
        client_secret=stack.secrets.get(client_id),
        username=person.username,
        password=person.password,
    )
    assert refused.status_code in {400, 401}, refused.text
    assert "access_token" not in refused.json()


@pytest.mark.requirement("REALM-NO-PASSWORD-GRANT")
@pytest.mark.parametrize("client_id", ["admin-cli", "account", "account-console", "security-admin-console", "broker"])
def test_no_client_that_keycloak_made_may_take_a_password(stack: Stack, person: Person, client_id: str) -> None:
    refused = request_token(
        stack.token_endpoint, "password", client_id=client_id, username=person.username, password=person.password
    )
    assert refused.status_code in {400, 401}, refused.text
    assert "access_token" not in refused.json()


@pytest.mark.requirement("REALM-GRANTS")
@pytest.mark.parametrize("client_id", ["mcp-cli", "mcp-console"])
@pytest.mark.parametrize("grant_type", [CLIENT_CREDENTIALS, TOKEN_EXCHANGE, DEVICE_CODE, "made-up"])
def test_a_public_client_has_the_code_flow_only(stack: Stack, client_id: str, grant_type: str) -> None:
    refused = request_token(stack.token_endpoint, grant_type, client_id=client_id, device_code="x", subject_token="x")
    assert refused.status_code in {400, 401}, refused.text
    assert "access_token" not in refused.json()


@pytest.mark.requirement("REALM-GRANTS")
@pytest.mark.parametrize("client_id", ["mcp-automation", "mcp-reader", "mcp-server", "terraform", "auditor"])
def test_a_service_account_has_no_login_page(stack: Stack, browser, client_id: str) -> None:
    page = stack.flow(client_id=client_id).open(browser)
    assert (page.redirect, page.form("password")) == (None, None)
    assert page.status in {400, 403}


@pytest.mark.requirement("REALM-GRANTS")
@pytest.mark.parametrize("client_id", ["mcp-automation", "mcp-reader", "mcp-server", "terraform", "auditor"])
@pytest.mark.parametrize("secret", ["wrong", "", None, "${SECURE_MCP_SECRET_MCP_AUTOMATION}"])
def test_a_service_account_needs_its_own_secret(stack: Stack, client_id: str, secret: str | None) -> None:
    refused = request_token(stack.token_endpoint, CLIENT_CREDENTIALS, client_id=client_id, client_secret=secret)
    assert refused.status_code == 401, refused.text
    assert refused.json()["error"] in {"unauthorized_client", "invalid_client"}


@pytest.mark.requirement("REALM-REGISTRATION")
@pytest.mark.parametrize("provider", ["openid-connect", "default", "install", "saml2-entity-descriptor"])
def test_a_stranger_cannot_register_a_client(stack: Stack, provider: str) -> None:
    bodies = {
        "openid-connect": {"client_name": "stranger", "redirect_uris": ["http://127.0.0.1/callback"]},
        "default": {"clientId": "stranger", "publicClient": True},
    }
    url = f"{stack.issuer}/clients-registrations/{provider}"
    refused = client.post(url, json=bodies.get(provider, {"clientId": "stranger"}))
    assert refused.status_code in ({403} if provider in bodies else {401, 403, 404, 405, 415}), refused.text
    assert stack.admin.get(f"/{stack.name}/clients", clientId="stranger") == []


@pytest.mark.requirement("REALM-REGISTRATION")
def test_a_stranger_does_not_become_trusted_by_a_header(stack: Stack) -> None:
    body = {"client_name": "stranger", "redirect_uris": ["http://127.0.0.1/callback"]}
    for host in ("127.0.0.1", "localhost"):
        headers = {"X-Forwarded-For": host, "Forwarded": f"for={host}", "X-Forwarded-Host": host}
        url = f"{stack.issuer}/clients-registrations/openid-connect"
        assert client.post(url, json=body, headers=headers).status_code == 403


@pytest.mark.requirement("REALM-BRUTE-FORCE")
def test_guessing_locks_the_account_for_a_while(stack: Stack, contract, new_browser) -> None:
    victim = stack.add_person()
    seen = set()
    for number in range(contract.brute_force["max_failures"] + 1):
        with new_browser() as browser:
            page = browser.log_in(stack.flow().open(browser), victim.username, f"wrong guess {number}")
            assert page.form("password") is not None
            seen.add(_message(page.html))
    with new_browser() as browser:
        page = browser.log_in(stack.flow().open(browser), victim.username, victim.password)
        assert page.form("password") is not None, "the right password went through although the account is locked"
        seen.add(_message(page.html))
    with new_browser() as browser:
        page = browser.log_in(stack.flow().open(browser), "nobody-of-this-name", "wrong guess")
        seen.add(_message(page.html))
    assert len(seen) == 1, f"the page tells a locked, a wrong and an unknown account apart: {seen}"
    user = stack.user(victim)
    locked = stack.admin.get(f"/{stack.name}/attack-detection/brute-force/users/{user['id']}")
    assert locked["disabled"] is True


@pytest.mark.requirement("REALM-BRUTE-FORCE")
def test_a_lock_is_of_one_account_only(stack: Stack, contract, person: Person, log_in, new_browser) -> None:
    victim = stack.add_person()
    for number in range(contract.brute_force["max_failures"] + 1):
        with new_browser() as browser:
            browser.log_in(stack.flow().open(browser), victim.username, f"wrong guess {number}")
    assert "access_token" in log_in(person, scope="mcp:read")


@pytest.mark.requirement("REALM-PASSWORDS")
@pytest.mark.parametrize("password", ["short", "USERNAME", "EMAIL"])
def test_a_poor_password_is_refused(stack: Stack, person: Person, password: str) -> None:
    user = stack.user(person)
    value = {"USERNAME": user["username"], "EMAIL": user["email"]}.get(password, password)
    credential = {"type": "password", "value": value, "temporary": False}
    refused = stack.admin.send("PUT", f"/{stack.name}/users/{user['id']}/reset-password", json=credential)
    assert refused.status_code == 400, refused.text


def _message(html: str) -> str:
    start = html.find('id="input-error')
    assert start >= 0, html[:500]
    text = html[html.find(">", start) + 1 :]
    return " ".join(text[: text.find("<")].split())
