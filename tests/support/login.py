"""The authorization code flow as a desktop client and a person go through it (OAuth 2.1 section 4.1)."""

import secrets
from dataclasses import dataclass, field

import httpx

from tests.support.browser import Browser, Page
from tests.support.oauth import AUTHORIZATION_CODE, Pkce, request_token

CLI_REDIRECT = "http://127.0.0.1:49152/callback"  # the contract names no port: RFC 8252 section 7.3


@dataclass(frozen=True)
class Person:
    """Somebody with an account in the realm."""

    username: str
    password: str


@dataclass
class CodeFlow:
    """One run of the flow; the fields may be bent to make a wrong request."""

    issuer: str
    client_id: str = "mcp-cli"
    redirect_uri: str = CLI_REDIRECT
    scope: str | None = "mcp:read"
    pkce: Pkce = field(default_factory=Pkce)
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/auth"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/token"

    def parameters(self, **other: str | None) -> dict[str, str]:
        """Return the authorization request; `other` replaces a parameter, or leaves it out where it is None."""
        standard = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "code_challenge": self.pkce.challenge,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (standard | other).items() if value is not None}

    def open(self, browser: Browser, **other: str | None) -> Page:
        """Send the browser to the authorization endpoint."""
        return browser.open(self.authorization_endpoint, **self.parameters(**other))

    def log_in(self, browser: Browser, person: Person, *, consent: str | None = "accept") -> Page:
        """Go through the login page and, unless `consent` is None, press that button of the consent page."""
        page = browser.log_in(self.open(browser), person.username, person.password)
        return browser.answer_consent(page, consent) if consent else page

    def exchange(self, code: str, **other: str | None) -> httpx.Response:
        """Trade the code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
        standard = {
            "code": code,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.pkce.verifier,
        }
        return request_token(self.token_endpoint, AUTHORIZATION_CODE, **(standard | other))
