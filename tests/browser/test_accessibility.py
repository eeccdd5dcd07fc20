"""axe-core finds nothing serious on any state of the pages, in a light and in a dark room."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.pages import ApiDocs, Console
from tests.support.login import Person

pytestmark = pytest.mark.requirement("CONSOLE-ACCESSIBLE")

SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


def grave(page: Page) -> list[str]:
    """Return the serious and critical findings, one line for each place."""
    found = Axe().run(page).response
    assert len(found["passes"]) >= 10, "axe looked at nothing"
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:160]}"
        for rule in found["violations"]
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]


@SCHEMES
def test_the_console(open_console: Callable[..., Console], person: Person, scheme: str) -> None:
    console = open_console(color_scheme=scheme)
    page = console.page
    assert grave(page) == []
    console.sign_in(person)
    console.call("calculate", expression="1 + 1")
    for summary in page.locator("summary").all():
        summary.click()
    assert grave(page) == []
    page.click("#step-up")
    expect(console.outcome).to_contain_text("200: answered")
    assert grave(page) == []
    page.fill("#argument-expression", "")
    page.click("#call-button")
    expect(page.locator("[aria-invalid]")).to_be_visible()
    assert grave(page) == []


@SCHEMES
def test_the_api_documentation(open_docs: Callable[..., ApiDocs], scheme: str) -> None:
    docs = open_docs(color_scheme=scheme)
    assert grave(docs.page) == []
    assert docs.call("echo") == "401"
    assert grave(docs.page) == []
    docs.open_dialog()
    assert grave(docs.page) == []


def test_the_judge_sees_what_is_wrong(open_console: Callable[..., Console]) -> None:
    console = open_console()
    console.page.locator("#call-button").evaluate("(button) => button.replaceChildren()")
    assert any("button-name" in line for line in grave(console.page))
