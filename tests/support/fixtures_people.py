"""Tokens, people, browsers and short-lived changes, for one test each."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from ops.keycloak import BOOTSTRAP_CLIENT, KeycloakServer
from tests.support import changes
from tests.support.browser import Browser
from tests.support.login import CLI_REDIRECT, Person
from tests.support.oauth import CLIENT_CREDENTIALS, request_token
from tests.support.realm import Stack, answered


@pytest.fixture
def reader_token(stack: Stack) -> str:
    """A token with mcp:read."""
    return stack.token_for("mcp-reader")


@pytest.fixture
def automation_token(stack: Stack) -> str:
    """A token with every scope."""
    return stack.token_for("mcp-automation")


@pytest.fixture
def master_token(keycloak: KeycloakServer, admin_secret: str) -> str:
    """A token of the master realm."""
    endpoint = f"{keycloak.url}/realms/master/protocol/openid-connect/token"
    answer = request_token(endpoint, CLIENT_CREDENTIALS, client_id=BOOTSTRAP_CLIENT, client_secret=admin_secret)
    return answered(answer)["access_token"]


@pytest.fixture
def person(stack: Stack) -> Person:
    """Somebody new in the realm."""
    return stack.add_person()


@pytest.fixture
def new_browser(stack: Stack) -> Callable[[], Browser]:
    return partial(Browser, stack.keycloak_url)


@pytest.fixture
def browser(new_browser: Callable[[], Browser]) -> Iterator[Browser]:
    with new_browser() as browser:
        yield browser


@pytest.fixture
def redirect_uris(stack: Stack) -> dict[str, str]:
    """One good redirect URI of each public client."""
    return {"mcp-cli": CLI_REDIRECT, "mcp-console": f"{stack.public_url}/console/callback"}


@pytest.fixture
def log_in(
    stack: Stack, new_browser: Callable[[], Browser], redirect_uris: dict[str, str]
) -> Callable[..., dict[str, str]]:
    """Log somebody in with a new browser, consent where asked, and return the token response."""

    def log_in(person: Person, client_id: str = "mcp-cli", scope: str = "mcp:read") -> dict[str, str]:
        flow = stack.flow(client_id=client_id, redirect_uri=redirect_uris[client_id], scope=scope)
        with new_browser() as browser:
            page = flow.log_in(browser, person, consent=None)
            page = browser.answer_consent(page) if page.form("accept") else page
            return answered(flow.exchange(page.answer["code"]))

    return log_in


@pytest.fixture
def changed_client(stack: Stack):
    return partial(changes.changed_client, stack)


@pytest.fixture
def scratch_client(stack: Stack):
    return partial(changes.scratch_client, stack)


@pytest.fixture
def leaky_audience(stack: Stack):
    return partial(changes.leaky_audience, stack)
