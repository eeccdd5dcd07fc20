"""A real Chromium for every test of this folder, a tab of its own for each test, and somebody who can log in.

The stack is the one of the whole run: `stack`, `service`, `person` and `contract` come from tests/support/fixtures*.py.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.pages import ApiDocs, Console
from tests.browser.watch import SIZE, Watch
from tests.support import chromium as machine
from tests.support.realm import Stack


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. It ends with this folder: while Playwright runs, asyncio.run() works in other threads only."""
    with sync_playwright() as playwright, machine.launch(playwright) as browser:
        yield browser


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[[], Page]]:
    """Open a tab in a profile of its own: no cookies, no storage. Options are Playwright's `new_context`."""
    contexts = []

    def new_page(**options: object) -> Page:
        context = chromium.new_context(**options)
        context.set_default_timeout(machine.DEADLINE_MS)
        contexts.append(context)
        return context.new_page()

    yield new_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[[], Page]) -> Page:
    """A fresh tab."""
    return new_page()


@pytest.fixture
def watched(new_page: Callable[..., Page], stack: Stack) -> Callable[..., tuple[Page, Watch]]:
    """Open a tab whose every request, fault and violation is noted."""

    def watched(**options: object) -> tuple[Page, Watch]:
        page = new_page(**{"viewport": SIZE, **options})
        return page, Watch(page, stack.public_url, stack.keycloak_url)

    return watched


@pytest.fixture
def open_console(watched: Callable[..., tuple[Page, Watch]]) -> Callable[..., Console]:
    """Open the console; options are Playwright's `new_context`."""
    return lambda **options: Console(*watched(**options)).open()


@pytest.fixture
def open_docs(watched: Callable[..., tuple[Page, Watch]]) -> Callable[..., ApiDocs]:
    """Open the API documentation; options as above."""
    return lambda **options: ApiDocs(*watched(**options)).open()
