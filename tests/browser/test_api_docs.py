"""Swagger UI at /docs: from this service alone, with a sign-in that checks what the console's checks."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.pages import ApiDocs
from tests.support.login import Person

pytestmark = pytest.mark.requirement("CONSOLE-WALK")


def test_sign_in_call_refusal_step_up_sign_out(open_docs: Callable[..., ApiDocs], person: Person) -> None:
    docs = open_docs(color_scheme="light")
    page, watch = docs.page, docs.watch
    watch.picture("docs-1-start-light")
    assert docs.call("echo") == "401"
    docs.open_dialog()
    expect(docs.dialog).to_contain_text("authorizationCode with PKCE")
    expect(docs.dialog.get_by_label("client_secret:")).to_be_hidden()
    watch.picture("docs-2-sign-in-light")
    docs.dialog.get_by_role("button", name="Close", exact=True).last.click()

    docs.sign_in("mcp:read", person=person)
    watch.picture("docs-3-signed-in-light")
    assert docs.call("echo") == "200"
    assert docs.call("calculate") == "403"
    docs.sign_in("mcp:read", "mcp:write")
    assert docs.call("calculate") == "200"

    stored = watch.stored()
    assert (stored["local"], stored["session"], stored["cookies"]) == ({}, {}, "")
    assert stored["address"] == f"{watch.service}/docs"
    docs.open_dialog()
    docs.dialog.get_by_role("button", name="Remove authorization").click()
    docs.dialog.get_by_role("button", name="Close", exact=True).last.click()
    assert docs.call("echo") == "401"
    watch.assert_clean()
    assert len(page.context.pages) == 1, "no popup"


def test_an_answer_that_nobody_here_asked_for_is_not_used(open_docs: Callable[..., ApiDocs]) -> None:
    docs = open_docs()
    docs.page.goto(f"{docs.watch.service}/docs/oauth2-redirect?code=stolen&state=foreign")
    expect(docs.page.get_by_role("alert")).to_contain_text("This sign-in was not begun in this tab")
    assert not docs.watch.asked_for("/protocol/openid-connect/token")
    assert docs.call("echo") == "401"
