"""Redirect URIs match exactly: anything else ends on an error page of Keycloak and never leaves it (MCP A7)."""

from urllib.parse import urlsplit

import pytest

from ops.clients import known_clients
from tests.support.browser import Browser
from tests.support.realm import Stack

pytestmark = pytest.mark.requirement("MCP-A7")

LOOPBACK_ALLOWED = [
    "http://127.0.0.1/callback",
    "http://127.0.0.1:1024/callback",
    "http://127.0.0.1:65535/callback",
    "http://localhost:33418/oauth/callback",
    "http://127.0.0.1:33418/",
]

REFUSED = {
    "another path": "http://127.0.0.1:1024/callback/more",
    "one character more": "http://127.0.0.1:1024/callbackx",
    "one character less": "http://127.0.0.1:1024/callbac",
    "a slash at the end": "http://127.0.0.1:1024/callback/",
    "a doubled slash": "http://127.0.0.1:1024//callback",
    "case of the path": "http://127.0.0.1:1024/Callback",
    "dot segments": "http://127.0.0.1:1024/x/../callback",
    "encoded dot segments": "http://127.0.0.1:1024/x/%2e%2e/callback",
    "an encoded character": "http://127.0.0.1:1024/c%61llback",
    "a query": "http://127.0.0.1:1024/callback?next=1",
    "a fragment": "http://127.0.0.1:1024/callback#here",
    "a user name": "http://user@127.0.0.1:1024/callback",
    "our host as a user name": "http://127.0.0.1@evil.example/callback",
    "our host as a password": "http://x:127.0.0.1@evil.example/callback",
    "a host that begins with ours": "http://127.0.0.1.evil.example/callback",
    "a host that ends with ours": "http://evil-localhost/oauth/callback",
    "another loopback address": "http://127.0.0.2:1024/callback",
    "all addresses": "http://0.0.0.0:1024/callback",
    "https on loopback": "https://127.0.0.1:1024/callback",
    "another scheme": "ftp://127.0.0.1/callback",
    "a script": "javascript:alert(1)//127.0.0.1/callback",
    "data": "data:text/html,127.0.0.1/callback",
    "no scheme": "//127.0.0.1/callback",
    "a back slash": "http://evil.example\\@127.0.0.1/callback",
    "white space first": " http://127.0.0.1:1024/callback",
    "a line break": "http://127.0.0.1:1024/callback\r\nSet-Cookie: a=b",
    "a scheme of its own": "cursor://evil.example/oauth/callback",
    "a wildcard": "http://127.0.0.1:1024/*",
    "a stranger": "https://evil.example/callback",
}


@pytest.mark.requirement("RFC8252-7.3")
@pytest.mark.parametrize("redirect_uri", LOOPBACK_ALLOWED)
def test_a_desktop_client_may_listen_on_any_port_of_loopback(stack: Stack, browser: Browser, redirect_uri: str) -> None:
    assert stack.flow(redirect_uri=redirect_uri).open(browser).form("password") is not None


@pytest.mark.requirement("OPS-CONNECT")
@pytest.mark.parametrize("known", known_clients().values(), ids=known_clients())
def test_each_client_that_connect_knows_is_sent_back_to_itself(stack: Stack, browser: Browser, known) -> None:
    """As the client itself would say it: a loopback redirect URI has a port that the system chose."""
    redirect_uri = known.redirect_uri.replace("127.0.0.1/", "127.0.0.1:40893/").replace("localhost/", "localhost:3334/")
    assert stack.flow(redirect_uri=redirect_uri).open(browser).form("password") is not None


@pytest.mark.parametrize("redirect_uri", REFUSED.values(), ids=REFUSED.keys())
def test_a_desktop_client_is_not_sent_elsewhere(stack: Stack, browser: Browser, redirect_uri: str) -> None:
    assert_refused(stack, browser, "mcp-cli", redirect_uri)


def test_a_missing_redirect_uri_is_not_guessed(stack: Stack, browser: Browser) -> None:
    page = stack.flow().open(browser, redirect_uri=None)
    assert (page.status, page.redirect) == (400, None)


def test_the_console_is_sent_to_its_own_origin_only(stack: Stack, browser: Browser) -> None:
    good = f"{stack.public_url}/console/callback"
    assert stack.flow(client_id="mcp-console", redirect_uri=good).open(browser).form("password") is not None
    parts = urlsplit(good)
    other_port = parts.port + 1 if parts.port < 65535 else parts.port - 1
    for wrong in (
        good.replace(f":{parts.port}", f":{other_port}"),
        good.replace(f":{parts.port}", ""),
        good.replace("localhost", "127.0.0.1"),
        good.replace("localhost", "localhost.evil.example"),
        good + "/",
        good + "?next=1",
        good.replace("http:", "https:") if parts.scheme == "http" else good.replace("https:", "http:"),
        f"{stack.public_url}/console",
    ):
        assert_refused(stack, browser, "mcp-console", wrong)


@pytest.mark.parametrize("target", ["https://evil.example/", "http://127.0.0.1:1024/callbackx"])
def test_the_logout_page_sends_nobody_away(stack: Stack, browser: Browser, target: str) -> None:
    page = browser.open(
        f"{stack.issuer}/protocol/openid-connect/logout", client_id="mcp-cli", post_logout_redirect_uri=target
    )
    assert (page.status, page.redirect) == (400, None)


def assert_refused(stack: Stack, browser: Browser, client_id: str, redirect_uri: str) -> None:
    page = stack.flow(client_id=client_id, redirect_uri=redirect_uri).open(browser)
    assert page.redirect is None, f"sent to {page.redirect}"
    assert page.status == 400, f"{redirect_uri}: {page.status}"
    assert page.form("password") is None
