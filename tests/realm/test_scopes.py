"""Scopes: 403 with what the call needs, step-up, and scopes that imply others (MCP R14, R17, R18)."""

import pytest

from tests.support.browser import Browser
from tests.support.http import Service, challenge, text_of
from tests.support.login import Person
from tests.support.realm import Stack, answered
from tests.support.verdict import assert_insufficient_scope, assert_no_credentials

SUM = {"expression": "2 + 3"}


@pytest.mark.requirement("MCP-R17", "MCP-R18", "RFC6750-3.1-SCOPE")
@pytest.mark.parametrize("entrance", ["mcp", "rest"])
def test_a_missing_scope_is_403_with_the_scope_to_ask_for(
    stack: Stack, service: Service, reader_token: str, entrance: str
) -> None:
    response = service.use("calculate", SUM, reader_token, entrance=entrance)
    assert_insufficient_scope(response, stack, "mcp:write")


@pytest.mark.requirement("MCP-R17")
def test_step_up_works(stack: Stack, service: Service, person: Person, browser: Browser) -> None:
    """Refused, told what to ask for, asked for it together with what was granted, let in."""
    flow = stack.flow(scope="mcp:read")
    first = answered(flow.exchange(flow.log_in(browser, person).answer["code"]))
    asked = challenge(service.use("calculate", SUM, first["access_token"]))["scope"]
    flow = stack.flow(scope=f"mcp:read {asked}")
    page = browser.answer_consent(
        flow.open(browser)
    )  # the session lives on: no password, but consent for the new scope
    second = answered(flow.exchange(page.answer["code"]))
    assert float(text_of(service.use("calculate", SUM, second["access_token"]))) == 5
    assert text_of(service.use("echo", {"text": "x"}, second["access_token"])) == "x"


@pytest.mark.requirement("MCP-R14")
@pytest.mark.parametrize("entrance", ["mcp", "rest"])
def test_write_implies_read(service: Service, person: Person, log_in, entrance: str) -> None:
    token = log_in(person, scope="mcp:write")["access_token"]
    assert service.use("echo", {"text": "x"}, token, entrance=entrance).status_code == 200
    assert service.use("timestamp", {}, token, entrance=entrance).status_code == 200


@pytest.mark.requirement("MCP-R14", "MCP-R17")
def test_infer_implies_read_but_not_write(stack: Stack, service: Service, person: Person, log_in) -> None:
    token = log_in(person, scope="mcp:infer")["access_token"]
    assert text_of(service.use("echo", {"text": "x"}, token)) == "x"
    assert_insufficient_scope(service.use("calculate", SUM, token), stack, "mcp:write")


@pytest.mark.requirement("MCP-R17")
@pytest.mark.parametrize("entrance", ["mcp", "rest"])
def test_a_token_with_no_scope_of_ours_may_nothing(
    stack: Stack, service: Service, person: Person, log_in, entrance: str
) -> None:
    token = log_in(person, scope="openid")["access_token"]
    assert_insufficient_scope(service.use("echo", {"text": "x"}, token, entrance=entrance), stack, "mcp:read")


@pytest.mark.requirement("MCP-R17")
@pytest.mark.parametrize("name", ["mcp:reader", "mcp:read-only", "xmcp:read", "MCP:READ"])
def test_a_scope_that_looks_alike_is_another(stack: Stack, service: Service, scratch_client, name: str) -> None:
    with scratch_client(default_scopes=["mcp-audience", name], new_scope=name) as client_id:
        token = stack.token_for(client_id)
    assert_insufficient_scope(service.use("echo", {"text": "x"}, token), stack, "mcp:read")


@pytest.mark.requirement("MCP-R13", "RFC6750-2")
@pytest.mark.parametrize("entrance", ["mcp", "rest"])
def test_the_token_counts_on_each_request_by_itself(
    stack: Stack, service: Service, reader_token: str, entrance: str
) -> None:
    assert service.use("echo", {"text": "x"}, reader_token, entrance=entrance).status_code == 200
    assert_no_credentials(service.use("echo", {"text": "x"}, entrance=entrance), stack)
