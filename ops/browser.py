"""A person's login: authorization code, PKCE S256, redirect to loopback (RFC 6749, RFC 7636, RFC 8252, RFC 9207)."""

import base64
import hashlib
import hmac
import secrets
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ops.errors import OperatorError, findings, unreachable
from ops.output import note
from ops.tokens import request_token

_DEADLINE_S = 300
_PAGE = b"<!doctype html><title>Secure MCP</title><p>You can close this window and go back to the terminal.</p>"


def log_in(issuer: str, client_id: str, scope: str | None, resource: str) -> dict[str, Any]:
    """Let a person log in with the browser and return the token response.

    Args:
        issuer: issuer identifier of the realm.
        client_id: a public client with a loopback redirect URI, such as mcp-cli.
        scope: scopes separated by spaces; None means the client's default.
        resource: canonical URL of the MCP server (RFC 8707 section 2).

    Raises:
        OperatorError: the login was refused or did not come back, or the answer is not of this issuer.
    """
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with _Loopback(("127.0.0.1", 0), _Handler) as server:
        redirect_uri = f"http://127.0.0.1:{server.server_port}/callback"
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
            .rstrip(b"=")
            .decode(),
            "code_challenge_method": "S256",
            "resource": resource,
        } | ({"scope": scope} if scope else {})
        url = f"{issuer}/protocol/openid-connect/auth?{urlencode(query)}"
        note(f"log in with the browser; if none opens, open this address yourself:\n  {url}")
        webbrowser.open(url)
        answer = server.wait(_DEADLINE_S)
    code = check_answer(answer, state, issuer)
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
        "resource": resource,
    }
    return request_token(f"{issuer}/protocol/openid-connect/token", form)


def check_answer(answer: dict[str, str], state: str, issuer: str) -> str:
    """Return the code of an authorization response.

    Args:
        answer: the query parameters of the redirect.
        state: what was sent (RFC 6749 section 10.12).
        issuer: whom it was sent to (RFC 9207 section 2.4).

    Raises:
        OperatorError: it is not the answer to this login, or it is a refusal.
    """
    if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        raise findings(
            "The answer belongs to another login (state differs).", "Start again: secure-mcp token --browser"
        )
    if answer.get("iss") != issuer:
        raise findings(
            f"The answer does not come from {issuer} (iss differs).", "Do not go on; look at what answers on that port."
        )
    if "error" in answer:
        said = f"{answer['error']}: {answer.get('error_description', 'no description')}"
        raise findings(
            f"Keycloak refused the login ({said}).",
            "Ask for scopes that access.yaml gives to this client, and consent to them.",
        )
    if not answer.get("code"):
        raise OperatorError("The answer has no code.", "Start again: secure-mcp token --browser")
    return answer["code"]


class _Loopback(HTTPServer):
    """Waits for the one redirect."""

    answer: dict[str, str] | None = None

    def wait(self, deadline_s: float) -> dict[str, str]:
        end = time.monotonic() + deadline_s
        while self.answer is None:
            self.timeout = end - time.monotonic()
            if self.timeout <= 0:
                raise unreachable(
                    f"Nobody logged in within {deadline_s:.0f} s.", "Start again: secure-mcp token --browser"
                )
            self.handle_request()
        return self.answer


class _Handler(BaseHTTPRequestHandler):
    server: _Loopback
    timeout = 10  # seconds that a silent connection may hold the one thread

    def do_GET(self) -> None:
        """Take the authorization response; other paths (a browser asks for /favicon.ico) are not found."""
        parts = urlsplit(self.path)
        found = parts.path == "/callback"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        if found:
            self.wfile.write(_PAGE)
            self.server.answer = {key: values[0] for key, values in parse_qs(parts.query).items()}

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: the request line holds the code."""
