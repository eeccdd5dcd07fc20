"""The authorization code flow of the real Keycloak: PKCE, consent, one use of a code, the issuer in the answer."""

import pytest

from tests.support.browser import Browser
from tests.support.login import Person
from tests.support.oauth import Pkce
from tests.support.realm import Stack, answered


def error_of(page) -> tuple[str, str]:
    return page.answer["error"], page.answer["iss"]


@pytest.mark.requirement("RFC7636-4", "RFC9207-2", "MCP-A6")
def test_a_person_logs_in_consents_and_the_client_gets_a_code(stack: Stack, person: Person, browser: Browser) -> None:
    flow = stack.flow()
    page = flow.log_in(browser, person)
    assert page.redirect.startswith(flow.redirect_uri + "?")
    assert (page.answer["state"], page.answer["iss"]) == (flow.state, stack.issuer)
    assert answered(flow.exchange(page.answer["code"]))["token_type"] == "Bearer"


@pytest.mark.requirement("REALM-CONSENT")
def test_the_consent_page_says_what_the_contract_says(stack: Stack, contract, person: Person, browser: Browser) -> None:
    page = stack.flow(scope="mcp:read mcp:write").log_in(browser, person, consent=None)
    for scope in ("mcp:read", "mcp:write"):
        assert contract.scopes[scope].consent in page.html
    assert contract.scopes["mcp:infer"].consent not in page.html
    assert error_of(browser.answer_consent(page, "cancel")) == ("access_denied", stack.issuer)


@pytest.mark.requirement("REALM-CONSENT", "MCP-R17")
def test_a_person_is_asked_again_when_a_client_wants_more(
    stack: Stack, contract, person: Person, browser: Browser
) -> None:
    stack.flow(scope="mcp:read").log_in(browser, person)
    page = stack.flow(scope="mcp:read mcp:write").open(browser)
    assert contract.scopes["mcp:write"].consent in page.html
    assert "code" in browser.answer_consent(page).answer


@pytest.mark.requirement("RFC7636-4", "REALM-PKCE")
@pytest.mark.parametrize("client_id", ["mcp-cli", "mcp-console"])
@pytest.mark.parametrize(
    "challenge",
    [
        pytest.param({"code_challenge": None, "code_challenge_method": None}, id="missing"),
        pytest.param({"code_challenge_method": "plain"}, id="plain"),
        pytest.param({"code_challenge_method": None}, id="method missing, which means plain"),
        pytest.param({"code_challenge": None}, id="challenge missing"),
        pytest.param({"code_challenge": "A" * 42}, id="too short"),
        pytest.param({"code_challenge": "A" * 129}, id="too long"),
        pytest.param({"code_challenge": "A" * 42 + "!"}, id="bad character"),
    ],
)
def test_no_code_without_pkce_s256(
    stack: Stack, browser: Browser, redirect_uris, client_id: str, challenge: dict[str, str | None]
) -> None:
    page = stack.flow(client_id=client_id, redirect_uri=redirect_uris[client_id]).open(browser, **challenge)
    assert error_of(page) == ("invalid_request", stack.issuer)


@pytest.mark.requirement("RFC7636-4")
@pytest.mark.parametrize("verifier", [pytest.param(None, id="missing"), pytest.param(Pkce().verifier, id="another")])
def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    stack: Stack, person: Person, browser: Browser, verifier: str | None
) -> None:
    flow = stack.flow()
    code = flow.log_in(browser, person).answer["code"]
    refused = flow.exchange(code, code_verifier=verifier)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.requirement("RFC6749-4.1.2")
def test_a_code_works_once_and_its_second_use_takes_the_tokens_back(
    stack: Stack, person: Person, browser: Browser
) -> None:
    flow = stack.flow()
    code = flow.log_in(browser, person).answer["code"]
    tokens = answered(flow.exchange(code))
    again = flow.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert stack.introspect(tokens["access_token"])["active"] is False
    assert stack.refresh(tokens["refresh_token"]).status_code == 400


@pytest.mark.requirement("RFC6749-4.1.3")
def test_a_code_works_for_its_own_client_only(stack: Stack, person: Person, browser: Browser) -> None:
    flow = stack.flow()
    code = flow.log_in(browser, person).answer["code"]
    assert flow.exchange(code, client_id="mcp-console").json()["error"] == "invalid_grant"


@pytest.mark.requirement("RFC6749-4.1.3")
def test_a_code_works_for_its_own_redirect_uri_only(stack: Stack, person: Person, browser: Browser) -> None:
    flow = stack.flow()
    code = flow.log_in(browser, person).answer["code"]
    refused = flow.exchange(code, redirect_uri="http://127.0.0.1:49152/oauth/callback")
    assert refused.json()["error"] == "invalid_grant"


@pytest.mark.requirement("REALM-NO-IMPLICIT")
@pytest.mark.parametrize("response_type", ["token", "id_token", "id_token token", "code token", "code id_token"])
def test_no_token_ever_comes_back_through_the_browser(
    stack: Stack, browser: Browser, redirect_uris, response_type: str
) -> None:
    for client_id in ("mcp-cli", "mcp-console"):
        flow = stack.flow(client_id=client_id, redirect_uri=redirect_uris[client_id])
        page = flow.open(browser, response_type=response_type, nonce="n")
        assert page.redirect is not None, page.html[:500]
        assert "access_token" not in page.redirect
        assert "error=" in page.redirect, page.redirect
        assert page.form("password") is None
