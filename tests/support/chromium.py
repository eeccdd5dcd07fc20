"""The machine's own Chromium for Playwright: found where a distribution or Playwright put it, never downloaded here."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
DEADLINE_MS = 15_000  # of one step of a page: two slow cores under load


def find_chromium() -> str | None:
    """Return the path of the browser's program, or None where Playwright shall take its own, or there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def missing_chromium() -> str | None:
    """Return why no browser can be started, or None."""
    bundled = Path.home() / ".cache" / "ms-playwright"
    if find_chromium() or any(bundled.glob("chromium*")):
        return None
    return "no Chromium; install the package chromium, or run: playwright install chromium"


def launch(playwright: Playwright) -> Browser:
    """Start a headless browser. As root Chromium refuses its sandbox, so there it goes without."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=find_chromium(), args=arguments)


def log_in(page: Page, username: str, password: str) -> None:
    """Fill in Keycloak's login page, which must be what the tab shows."""
    page.get_by_label("Username or email").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign In").click()


def answer_consent(page: Page, button: str = "Yes") -> list[str]:
    """Press `Yes` or `No` on the consent page, which must be what the tab shows, and return what it asked for."""
    asked = page.locator("#kc-oauth li").all_inner_texts()
    page.get_by_role("button", name=button, exact=True).click()
    return [text.strip() for text in asked]
