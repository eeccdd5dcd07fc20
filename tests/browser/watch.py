"""What a page does besides what it shows: violations of its policy, faults, requests to strangers, what it stores."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

from tests.support.oauth import ISSUED

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ASKED_FOR = "SECURE_MCP_SCREENSHOTS"
SIZE = {"width": 1200, "height": 820}

_REPORT = """document.addEventListener("securitypolicyviolation",
  (event) => console.error(`violation ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`))"""
_STORED = """async () => ({
  local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie,
  databases: (await indexedDB.databases()).map((one) => one.name), caches: await caches.keys(),
  name: window.name, address: location.href, history: history.state })"""
# In a picture the origins and people of a test run read as those of `make up`; nothing but texts is touched.
_USUAL_NAMES = """(origins) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    let text = texts.currentNode.data;
    for (const [own, usual] of origins) text = text.replaceAll(own, usual);
    text = text.replaceAll(/person-\\d+-[0-9a-f]{6}/g, "demo");
    if (text !== texts.currentNode.data) texts.currentNode.data = text;
  }
}"""


def origin_of(url: str) -> str:
    """Return scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Watch:
    """Listens to a page from its first moment on.

    Args:
        page: a fresh tab.
        service: origin of the service.
        keycloak: origin of Keycloak.
    """

    def __init__(self, page: Page, service: str, keycloak: str) -> None:
        self.page = page
        self.service, self.keycloak = service, keycloak
        self.faults: list[str] = []
        self.strangers: list[str] = []
        self.asked: list[Request] = []
        page.add_init_script(_REPORT)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._requested)

    def assert_clean(self) -> None:
        """Fail when the page broke its policy, threw, or asked anybody else."""
        assert not self.faults
        assert not self.strangers

    @property
    def tokens(self) -> list[str]:
        """Access tokens that calls were sent with, oldest first."""
        sent = (request.headers.get("authorization", "") for request in self.asked)
        return list(dict.fromkeys(header.removeprefix("Bearer ") for header in sent if header))

    def asked_for(self, part: str) -> list[Request]:
        """Return the requests whose URL has this part."""
        return [request for request in self.asked if part in request.url]

    def stored(self) -> dict[str, Any]:
        """Return everything that the page left in the browser, and its address."""
        return self.page.evaluate(_STORED)

    def picture(self, name: str) -> None:
        """Write docs/images/NAME.png, where the run was asked for pictures; else do nothing."""
        if not os.environ.get(ASKED_FOR):
            return
        IMAGES.mkdir(exist_ok=True)
        origins = [[self.service, "http://localhost:8000"], [self.keycloak, "http://localhost:8080"]]
        self.page.evaluate(_USUAL_NAMES, origins)
        self.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.text.startswith("violation ") or "Content Security Policy" in message.text:
            self.faults.append(message.text)

    def _requested(self, request: Request) -> None:
        self.asked.append(request)
        ISSUED.update(self.tokens)  # the logs of the run must not hold them
        if not request.url.startswith("data:") and origin_of(request.url) not in {self.service, self.keycloak}:
            self.strangers.append(request.url)
