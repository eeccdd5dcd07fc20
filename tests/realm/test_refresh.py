"""Refresh tokens: rotation with no reuse (OAuth 2.1 section 4.3.1, MCP A8)."""

import pytest

from tests.support.http import Service, text_of
from tests.support.login import Person
from tests.support.oauth import claims_of
from tests.support.realm import Stack, answered


@pytest.mark.requirement("MCP-A8", "REALM-ROTATION")
def test_a_refresh_token_works_once(stack: Stack, person: Person, service: Service, log_in) -> None:
    first = log_in(person, scope="mcp:read")
    second = answered(stack.refresh(first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]
    assert text_of(service.use("echo", {"text": "again"}, second["access_token"])) == "again"
    reused = stack.refresh(first["refresh_token"])
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.requirement("MCP-A8", "REALM-ROTATION")
def test_reuse_ends_the_whole_chain(stack: Stack, person: Person, log_in) -> None:
    first = log_in(person, scope="mcp:read")
    second = answered(stack.refresh(first["refresh_token"]))
    stack.refresh(first["refresh_token"])
    late = stack.refresh(second["refresh_token"])
    assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")


@pytest.mark.requirement("RFC6749-6")
def test_a_refresh_does_not_widen_the_scope(stack: Stack, person: Person, log_in) -> None:
    tokens = log_in(person, scope="mcp:read")
    wider = answered(stack.refresh(tokens["refresh_token"], scope="mcp:read mcp:write"))
    assert "mcp:write" not in wider["scope"].split() + claims_of(wider["access_token"])["scope"].split()


@pytest.mark.requirement("RFC6749-6")
def test_a_refresh_token_works_for_its_own_client_only(stack: Stack, person: Person, log_in) -> None:
    tokens = log_in(person, scope="mcp:read")
    refused = stack.refresh(tokens["refresh_token"], client_id="mcp-console")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.requirement("REALM-NO-REFRESH-FOR-JOBS")
def test_a_service_account_gets_no_refresh_token(stack: Stack) -> None:
    assert "refresh_token" not in answered(stack.ask_token("mcp-automation"))
