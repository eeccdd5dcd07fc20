"""Somebody at a desk: a program opens addresses, the person reads them in Chromium, logs in and agrees."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from playwright.sync_api import Error, Page

from tests.support.chromium import answer_consent, log_in
from tests.support.login import Person

T = TypeVar("T")

WITHIN_S = 120  # seconds that the program may be silent
_DONE = object()


@dataclass
class Desk:
    """A person and a tab. `open` may be called from any thread; `attend` is the person's own."""

    page: Page
    person: Person
    keycloak_url: str
    consents: list[list[str]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    _wishes: queue.Queue[Any] = field(default_factory=queue.Queue)

    def open(self, url: str) -> None:
        """Ask the person to look at an address."""
        self._wishes.put(url)

    def attend(self, work: Callable[[], T]) -> T:
        """Run a program in a thread of its own, do what it asks for, and return or raise what it ends with."""
        outcome: list[Any] = []

        def run() -> None:
            try:
                outcome.append((work(), None))
            except BaseException as error:  # noqa: BLE001 - it is raised again where the test is
                outcome.append((None, error))
            finally:
                self._wishes.put(_DONE)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        while (wish := self._wishes.get(timeout=WITHIN_S)) is not _DONE:
            try:
                self._go_through(wish)
            except Error:
                # A client that has died no longer listens: what it died of says more than a page that did not load.
                thread.join(timeout=5)
                if not outcome or outcome[0][1] is None:
                    raise
        thread.join()
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    def _go_through(self, url: str) -> None:
        """Log in and agree as far as the pages ask; the tab ends at the client."""
        self.opened.append(url)
        self.page.goto(url)
        if self._at_keycloak() and self.page.get_by_label("Username or email").count():
            log_in(self.page, self.person.username, self.person.password)
        if self._at_keycloak():
            self.consents.append(answer_consent(self.page))
        assert not self._at_keycloak(), f"the person is stuck at {self.page.url}: {self.page.inner_text('body')[:500]}"

    def _at_keycloak(self) -> bool:
        self.page.wait_for_load_state()
        return self.page.url.startswith(self.keycloak_url)
