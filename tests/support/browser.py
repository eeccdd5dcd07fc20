"""A person with a browser, scripted: keeps cookies, fills in forms, stops where the browser leaves for the client."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import Cookie, CookieJar
from typing import Self
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from tests.support import client


@dataclass
class Form:
    """An HTML form: where it goes, its filled-in fields and its buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)


class _FormParser(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = True
            self.forms.append(Form(urljoin(self.url, attributes.get("action", ""))))
        elif tag in {"input", "button"} and self.inside and attributes.get("name"):
            pressed = tag == "button" or attributes.get("type") == "submit"
            target = self.forms[-1].buttons if pressed else self.forms[-1].fields
            target[attributes["name"]] = attributes.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


@dataclass(frozen=True)
class Page:
    """What the browser shows, or the redirect by which it leaves the authorization server."""

    status: int
    url: str
    html: str
    redirect: str | None = None

    @property
    def answer(self) -> dict[str, str]:
        """What the redirect hands to the client (RFC 6749 section 4.1.2); the test fails if there is none."""
        assert self.redirect is not None, (
            f"the browser was not sent back to the client: {self.status} {self.html[:2000]}"
        )
        return dict(parse_qsl(urlsplit(self.redirect).query))

    def form(self, having: str) -> Form | None:
        """Return the form that has a field or button of this name."""
        parser = _FormParser(self.url)
        parser.feed(self.html)
        return next((form for form in parser.forms if having in form.fields or having in form.buttons), None)


class _LoopbackJar(CookieJar):
    """Loopback is a secure context to browsers: they send Secure cookies there by http, Python's jar does not."""

    def set_cookie(self, cookie: Cookie) -> None:
        cookie.secure = False
        super().set_cookie(cookie)


class Browser:
    """One browser profile. Use as a context manager."""

    def __init__(self, authorization_server: str) -> None:
        """Take the origin inside which redirects are followed."""
        self.home = authorization_server
        self.client = client.Client(cookies=_LoopbackJar())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def open(self, url: str, **parameters: str) -> Page:
        """Go to a page and follow redirects as long as they stay with the authorization server."""
        return self._follow(self.client.get(url, params=parameters or None))

    def submit(self, form: Form, button: str | None = None, **values: str) -> Page:
        """Fill in a form and send it."""
        pressed = {button: form.buttons[button]} if button else {}
        return self._follow(self.client.post(form.action, data=form.fields | values | pressed))

    def log_in(self, page: Page, username: str, password: str) -> Page:
        """Fill in the login page."""
        form = page.form("password")
        assert form is not None, f"no login page: {page.status} {page.html[:2000]}"
        return self.submit(form, username=username, password=password)

    def answer_consent(self, page: Page, button: str = "accept") -> Page:
        """Press `accept` or `cancel` on the consent page."""
        form = page.form(button)
        assert form is not None, f"no consent page: {page.status} {page.html[:2000]}"
        return self.submit(form, button)

    def _follow(self, response: httpx.Response) -> Page:
        while response.is_redirect:
            target = response.headers["location"]
            if not urljoin(str(response.url), target).startswith(self.home + "/"):
                return Page(response.status_code, str(response.url), "", redirect=target)
            response = self.client.get(urljoin(str(response.url), target))
        return Page(response.status_code, str(response.url), response.text)
