"""The console and the API documentation, as a person uses them."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.watch import Watch
from tests.support.chromium import log_in
from tests.support.login import Person


class Console:
    """The console in one tab."""

    def __init__(self, page: Page, watch: Watch) -> None:
        self.page = page
        self.watch = watch
        self.outcome = page.locator("#outcome .outcome")
        self.notice = page.locator("#notice")

    def open(self) -> "Console":
        self.page.goto(f"{self.watch.service}/")
        return self.ready()

    def ready(self) -> "Console":
        self.page.wait_for_selector("body[data-ready]")
        return self

    def sign_in(self, person: Person) -> "Console":
        self.page.click("#sign-in")
        log_in(self.page, person.username, person.password)
        expect(self.page.locator("#account")).to_contain_text(person.username)
        return self.ready()

    def call(self, tool: str, **arguments: str) -> Locator:
        """Choose a tool, write its arguments, call it, and return what came of it."""
        self.page.click(f"#tool-{tool}")
        for name, value in arguments.items():
            self.page.fill(f"#argument-{name}", value)
        self.page.click("#call-button")
        expect(self.outcome).to_be_visible()
        return self.outcome

    def scopes(self) -> dict[str, str]:
        """Return what the page says about each scope: held, implied, not held."""
        rows = self.page.locator("#identity .scopes li").all()
        return {row.locator("code").inner_text(): row.locator(".badge").inner_text() for row in rows}


class ApiDocs:
    """Swagger UI in one tab."""

    def __init__(self, page: Page, watch: Watch) -> None:
        self.page = page
        self.watch = watch
        self.dialog = page.locator(".modal-ux")

    def open(self) -> "ApiDocs":
        self.page.goto(f"{self.watch.service}/docs")
        return self.ready()

    def ready(self) -> "ApiDocs":
        self.page.wait_for_selector("body[data-ready]")
        self.page.wait_for_selector(".opblock")
        return self

    def open_dialog(self) -> Locator:
        self.page.locator(".auth-wrapper").get_by_role("button", name="Authorize").click()
        expect(self.dialog).to_be_visible()
        return self.dialog

    def sign_in(self, *scopes: str, person: Person | None = None) -> None:
        """Tick scopes in the dialog and go; a person is asked only where Keycloak has no session yet."""
        self.open_dialog()
        forget = self.dialog.get_by_role("button", name="Remove authorization")
        if forget.is_visible():
            forget.click()
        for scope in scopes:
            box = self.dialog.locator(f"input[data-value='{scope}']")
            if not box.is_checked():
                self.dialog.locator(f"label[for='{box.get_attribute('id')}']").click()
        with self.page.expect_navigation(url="**/docs"):
            self.dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
            if person:
                log_in(self.page, person.username, person.password)
        self.ready()

    def call(self, tool: str) -> str:
        """Send the example of a tool and return the status that Swagger UI shows."""
        block = self.page.locator(f"#operations-tools-call_{tool}")
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
        block.get_by_role("button", name="Execute").click()
        status = block.locator(".live-responses-table tbody .response-col_status")
        expect(status).to_be_visible()
        return status.inner_text().split()[0]
