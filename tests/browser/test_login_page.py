"""Keycloak's own pages in a real browser: what a person sees who logs in to a declared client."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import answer_consent, log_in
from tests.support.login import CLI_REDIRECT, Person
from tests.support.oauth import claims_of
from tests.support.realm import Stack, answered


def leave_for(page: Page, target: str) -> list[str]:
    """Let nothing be loaded from the client's redirect URI and note what was asked for there."""
    seen: list[str] = []

    def note(route) -> None:
        seen.append(route.request.url)
        route.fulfill(body="back at the client")

    page.route(re.compile(re.escape(target)), note)
    return seen


@pytest.mark.requirement("REALM-CONSENT")
def test_a_person_reads_what_the_client_asks_for_and_agrees(stack: Stack, contract, person: Person, page: Page) -> None:
    flow = stack.flow(scope="mcp:read mcp:write")
    left = leave_for(page, CLI_REDIRECT)
    page.goto(f"{flow.authorization_endpoint}?{urlencode(flow.parameters())}")
    log_in(page, person.username, person.password)
    expect(page.locator("body")).to_contain_text(contract.clients["mcp-cli"].name)
    asked = answer_consent(page)
    for scope in ("mcp:read", "mcp:write"):
        assert contract.scopes[scope].consent in asked, asked
    expect(page.get_by_text("back at the client")).to_be_visible()
    code = dict(parse_qsl(urlsplit(left[0]).query))["code"]
    granted = claims_of(answered(flow.exchange(code))["access_token"])["scope"].split()
    assert {"mcp:read", "mcp:write"} <= set(granted)


@pytest.mark.requirement("REALM-CONSENT")
def test_a_person_who_says_no_sends_the_client_away_without_a_code(stack: Stack, person: Person, page: Page) -> None:
    flow = stack.flow()
    left = leave_for(page, CLI_REDIRECT)
    page.goto(f"{flow.authorization_endpoint}?{urlencode(flow.parameters())}")
    log_in(page, person.username, person.password)
    answer_consent(page, "No")
    expect(page.get_by_text("back at the client")).to_be_visible()
    answer = dict(parse_qsl(urlsplit(left[0]).query))
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", flow.state, stack.issuer)
    assert "code" not in answer
