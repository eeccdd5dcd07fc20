"""What goes wrong on the way, and whether the console says so in words and accepts nothing by mistake."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Route, expect

from tests.browser.pages import Console
from tests.support.chromium import log_in
from tests.support.login import Person
from tests.support.realm import Stack

pytestmark = pytest.mark.requirement("CONSOLE-FAULTS")

TOKEN = re.compile(r"/protocol/openid-connect/token$")


@pytest.fixture
def console(open_console: Callable[..., Console]) -> Console:
    return open_console()


def test_an_answer_that_nobody_here_asked_for_is_not_used(console: Console, stack: Stack) -> None:
    answer = urlencode({"code": "stolen", "state": "foreign", "iss": stack.issuer})
    console.page.goto(f"{stack.public_url}/console/callback?{answer}")
    expect(console.notice).to_contain_text("This sign-in was not begun in this tab")
    assert not console.watch.asked_for("/protocol/openid-connect/token")
    assert console.page.url == f"{stack.public_url}/"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(("state=", "state=x"), "not begun in this tab", id="state"),
        pytest.param(("iss=", "iss=https%3A%2F%2Fevil.example%2F"), "another issuer than the one", id="iss"),
        pytest.param(("iss=", "ignored="), "another issuer than the one", id="no iss"),
    ],
)
def test_a_bent_answer_is_not_used(console: Console, person: Person, change: tuple[str, str], words: str) -> None:
    def bend(route: Route) -> None:
        # Playwright sees no request that a redirect made, so it is the redirect that is bent.
        answer = route.fetch(max_redirects=0)
        bent = re.sub(rf"(?<=[?&]){change[0]}", change[1], answer.headers["location"])
        route.fulfill(status=302, headers={"Location": bent})

    console.page.route(re.compile("/login-actions/authenticate"), bend)
    console.page.click("#sign-in")
    log_in(console.page, person.username, person.password)
    expect(console.notice).to_contain_text(words)
    expect(console.page.locator("#sign-in")).to_be_visible()
    assert not [request for request in console.watch.asked if TOKEN.search(request.url)]


def test_an_id_token_for_another_sign_in_is_not_used(console: Console, person: Person) -> None:
    def bend(route: Route) -> None:
        answer = route.fetch()
        tokens = answer.json()
        header, claims, signature = tokens["id_token"].split(".")
        read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        written = base64.urlsafe_b64encode(json.dumps(read | {"nonce": "another"}).encode()).rstrip(b"=").decode()
        route.fulfill(response=answer, json=tokens | {"id_token": f"{header}.{written}.{signature}"})

    console.page.route(TOKEN, bend)
    console.page.click("#sign-in")
    log_in(console.page, person.username, person.password)
    expect(console.notice).to_contain_text("its ID token answers another sign-in")
    expect(console.page.locator("#sign-in")).to_be_visible()


def test_keycloak_says_no(console: Console, stack: Stack) -> None:
    def ask_for_more(route: Route) -> None:
        route.continue_(url=route.request.url.replace("mcp%3Aread", "mcp%3Aread+no%3Asuch"))

    console.page.route(re.compile(r"/protocol/openid-connect/auth\?"), ask_for_more)
    console.page.click("#sign-in")
    expect(console.notice).to_contain_text("Keycloak does not grant this scope to the console")


def test_keycloak_is_down(console: Console, stack: Stack) -> None:
    console.page.route(f"{stack.issuer}/**", lambda route: route.abort("connectionrefused"))
    console.page.click("#sign-in")
    expect(console.notice).to_contain_text(f"Keycloak does not answer at {stack.keycloak_url}")
    expect(console.page.locator("#sign-in")).to_be_visible()


def test_the_service_cannot_judge_now(console: Console, person: Person) -> None:
    console.sign_in(person)
    body = {
        "error": "temporarily_unavailable",
        "error_description": "The authorization server's keys are not available",
    }
    refuse = {"status": 503, "json": body, "headers": {"Retry-After": "7"}}
    console.page.route("**/mcp", lambda route: route.fulfill(**refuse))
    outcome = console.call("echo", text="hello")
    expect(outcome).to_contain_text("503: not now")
    expect(outcome).to_contain_text("wait 7 s. Your token is not at fault")
    console.page.unroute("**/mcp")
    console.page.click("#retry")
    expect(console.outcome).to_contain_text("200: answered")


def test_the_service_is_gone(console: Console) -> None:
    console.page.route("**/mcp", lambda route: route.abort("connectionrefused"))
    expect(console.call("echo", text="hello")).to_contain_text("The service does not answer")


def test_a_session_that_ended_is_renewed_by_a_sign_in(console: Console, person: Person, stack: Stack) -> None:
    console.sign_in(person)
    console.call("echo", text="before")
    stack.admin.post(f"/{stack.name}/users/{stack.user(person)['id']}/logout")
    outcome = console.call("echo", text="again")
    expect(outcome).to_contain_text("401: token not accepted")
    outcome.get_by_role("button", name="Sign in and call again").click()
    log_in(console.page, person.username, person.password)
    expect(console.outcome).to_contain_text("200: answered")
    expect(console.outcome.locator("code").first).to_have_text("again")


def test_a_token_that_expired_is_renewed_without_a_password(console: Console, person: Person) -> None:
    console.page.clock.install()
    console.open().sign_in(person)
    console.page.clock.fast_forward(301_000)
    expect(console.page.locator("#expiry")).to_contain_text("The token has expired")
    console.page.get_by_role("button", name="Get a new token").click()
    expect(console.page.locator("#expiry")).to_contain_text("Token expires in")


def test_faults_of_arguments_stand_beside_their_fields(console: Console, person: Person) -> None:
    console.sign_in(person)
    outcome = console.call("timestamp", timezone="x" * 70)
    field = console.page.locator("#argument-timezone")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(console.page.locator("#argument-timezone-fault")).to_contain_text("at most 64 characters")
    expect(outcome).to_contain_text("See the fields that are marked")
    # What belongs to no field is said where the answer is.
    expect(console.call("timestamp", timezone="Berlinn")).to_contain_text("did you mean Europe/Berlin?")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_another_address_of_the_same_service_says_where_to_sign_in(console: Console, stack: Stack) -> None:
    console.page.goto(stack.public_url.replace("localhost", "127.0.0.1"))
    expect(console.notice).to_contain_text("Keycloak knows this console by another address")
    expect(console.notice.get_by_role("link")).to_have_attribute("href", f"{stack.public_url}/")
