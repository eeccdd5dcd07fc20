"""The console as a newcomer walks through it, with the real Keycloak."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import Console
from tests.support.http import Service
from tests.support.login import Person
from tests.support.until import until

pytestmark = pytest.mark.requirement("CONSOLE-WALK")

NOTHING = {"local": {}, "session": {}, "cookies": "", "databases": [], "caches": [], "name": "", "history": None}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_call_refusal_step_up_sign_out(
    open_console: Callable[..., Console], person: Person, service: Service, scheme: str
) -> None:
    console = open_console(color_scheme=scheme)
    watch, page = console.watch, console.page

    def picture(step: str) -> None:
        if scheme == "light" or step in {"1-start", "5-stepped-up"}:
            watch.picture(f"console-{step}-{scheme}")

    picture("1-start")

    refused = console.call("echo", text="hello")
    expect(refused).to_contain_text("401: no token")
    picture("2-no-token")

    console.sign_in(person)
    assert console.scopes() == {"mcp:read": "held", "mcp:write": "not held", "mcp:infer": "not held"}
    expect(page.locator("#identity")).to_contain_text(f"{service.url}/mcp")
    expect(console.call("echo", text="hello")).to_contain_text("200: answered")
    expect(console.outcome.locator("code").first).to_have_text("hello")
    picture("3-answered")

    refused = console.call("calculate", expression="6 * 7")
    expect(refused).to_contain_text("403: insufficient scope")
    expect(refused).to_contain_text("this call needs mcp:write, and your token holds only mcp:read")
    picture("4-refused")

    page.get_by_role("button", name="Ask for mcp:write and call again").click()
    expect(console.outcome).to_contain_text("200: answered")
    expect(console.outcome.locator("code").first).to_have_text("42")
    assert console.scopes() == {"mcp:read": "held", "mcp:write": "held", "mcp:infer": "not held"}
    expect(page.locator("#token")).to_contain_text(f"{service.url}/mcp")
    picture("5-stepped-up")

    page.locator("#token-title").evaluate("(title) => title.scrollIntoView()")
    picture("6-token")

    assert watch.stored() == NOTHING | {"address": f"{service.url}/"}
    page.get_by_role("button", name="Sign out").click()
    expect(console.notice).to_contain_text("You are signed out, here and at Keycloak")
    picture("7-signed-out")
    assert watch.stored() == NOTHING | {"address": f"{service.url}/"}

    # Keycloak told the service that the session has ended.
    assert len(watch.tokens) == 2
    for token in watch.tokens:
        until(lambda token=token: service.get("/api/v1/tools", token).status_code == 401, 10, "the token is refused")
    page.click("#sign-in")
    expect(page.get_by_label("Username or email")).to_be_visible()
    watch.assert_clean()


def test_by_keyboard_alone(open_console: Callable[..., Console], person: Person) -> None:
    console = open_console()
    page = console.page

    def go_to(selector: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                shown = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
                assert shown != "none", f"nobody sees that {selector} has the focus"
                return
        raise AssertionError(f"Tab does not lead to {selector}")

    go_to(".skip")
    go_to("#sign-in")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Username or email")).to_be_focused()
    page.keyboard.type(person.username)
    page.get_by_label("Password", exact=True).focus()
    page.keyboard.type(person.password)
    page.keyboard.press("Enter")
    expect(page.locator("#account")).to_contain_text(person.username)

    go_to("#tool-calculate")
    page.keyboard.press("Enter")
    expect(page.locator("#tool-calculate")).to_be_focused()
    go_to("#argument-expression")
    page.keyboard.press("Control+A")
    page.keyboard.type("2 ** 5")
    page.keyboard.press("Enter")
    expect(console.outcome).to_contain_text("403")
    go_to("#step-up")
    page.keyboard.press("Enter")
    expect(console.outcome.locator("code").first).to_have_text("32")
    expect(page.locator("#announcer")).to_contain_text("200: answered")
    go_to("#sign-out")
    page.keyboard.press("Enter")
    expect(console.notice).to_contain_text("You are signed out")


def test_to_load_the_page_again_is_to_forget_the_token(open_console: Callable[..., Console], person: Person) -> None:
    console = open_console().sign_in(person)
    console.page.reload()
    console.ready()
    expect(console.page.locator("#sign-in")).to_be_visible()
    # Keycloak remembers the person, so that it takes no password.
    console.page.click("#sign-in")
    expect(console.page.locator("#account")).to_contain_text(person.username)


def test_a_narrow_window_needs_no_scrolling_aside(open_console: Callable[..., Console], person: Person) -> None:
    console = open_console(viewport={"width": 360, "height": 740})
    console.watch.picture("console-narrow")
    console.sign_in(person)
    console.call("calculate", expression="1 / 3")
    page: Page = console.page
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
