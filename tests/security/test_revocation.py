"""Sessions that end before their tokens (row 94; OpenID Connect Back-Channel Logout 1.0), and who cannot end them."""

import secrets
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.security.conftest import REALM, Bench
from tests.security.issuer import FakeIssuer
from tests.security.keyring import ALGORITHMS
from tests.security.steps import make
from tests.security.system import Service, free_port, service
from tests.security.verdict import fault
from tests.security.wire import call_echo, connection, request

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS")

EVENT = "http://schemas.openid.net/event/backchannel-logout"
NOT_OURS = ("typ", "azp", "scope", "realm_access", "preferred_username")


def logout_token(running: Service, algorithm: str = "RS256", *steps: dict[str, Any], **claims: Any) -> str:
    """Return a logout token as Keycloak sends it, changed by steps."""
    own = {"aud": "mcp-automation", "events": {EVENT: {}}, "typ": "Logout", "exp": int(time.time()) + 120, **claims}
    absent = {name: "$absent" for name in NOT_OURS if name not in own}
    return make(algorithm, [{"header": {"typ": "logout+jwt"}}, {"claims": {**absent, **own}}, *steps], running.world)


def log_out(running: Service, token: str) -> int:
    """Send a logout token and return the status."""
    body = urlencode({"logout_token": token}).encode()
    headers = [b"Content-Type: application/x-www-form-urlencoded"]
    with connection(running.origin) as opened:
        opened.send(request("POST", "/backchannel-logout", headers, body, host=running.host))
        return opened.answer().status


def refusal(running: Service, expected: str, token: str) -> str:
    """Show an access token and return how the answer differs from what is expected."""
    target, headers, body = call_echo("mcp")
    headers.append(b"Authorization: Bearer " + token.encode())
    with connection(running.origin) as opened:
        opened.send(request("POST", target, headers, body, host=running.host))
        return fault(expected, opened.answer(), running)


def access_token(running: Service, algorithm: str = "RS256", **claims: Any) -> str:
    return make(algorithm, [{"claims": claims}], running.world)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_session_that_ended_is_refused(bench: Bench, algorithm: str) -> None:
    """At once, also for a token that was accepted a moment ago, and for one issued to that session later."""
    running, session = bench.service, secrets.token_hex(8)
    shown, other = access_token(running, algorithm, sid=session), access_token(running, algorithm)
    assert refusal(running, "OK", shown) == ""
    assert log_out(running, logout_token(running, algorithm, sid=session)) == 200
    assert refusal(running, "B revoked", shown) == ""
    assert refusal(running, "B revoked", access_token(running, algorithm, sid=session, jti="later")) == ""
    assert refusal(running, "OK", other) == ""


def test_the_second_signature_of_a_token_is_revoked_with_it(bench: Bench) -> None:
    """Row 64: what is revoked is the session, not the characters of a token."""
    running, session = bench.service, secrets.token_hex(8)
    steps = [{"claims": {"sid": session}}]
    assert log_out(running, logout_token(running, sid=session)) == 200
    assert refusal(running, "B revoked", make("ES256", steps, running.world)) == ""
    assert refusal(running, "B revoked", make("ES256", [*steps, {"signature": "n-s"}], running.world)) == ""


def test_a_person_who_was_logged_out_everywhere_is_refused(bench: Bench) -> None:
    """A logout token without a session ends what was issued until then, and nothing that is issued after it."""
    running, person, now = bench.service, secrets.token_hex(8), int(time.time())
    shown = access_token(running, sub=person, iat=now - 20, exp=now + 200)
    assert refusal(running, "OK", shown) == ""
    assert log_out(running, logout_token(running, sub=person, sid="$absent", iat=now - 10)) == 200
    assert refusal(running, "B revoked", shown) == ""
    assert refusal(running, "OK", access_token(running, sub=person)) == ""


@pytest.mark.parametrize(
    ("steps", "claims"),
    [
        ([{"signature": "flipped"}], {}),
        ([{"sign_with": "attacker-RS256"}], {}),
        ([{"header": {"alg": "none"}}], {}),
        ([{"header": {"typ": "at+jwt"}}], {}),
        ([{"header": {"kid": "rsa-oaep"}}, {"sign_with": "spare as RS256"}], {}),
        ([{"header_codec": "utf-16"}], {}),
        ([{"payload_members": '|"sid":"x"'}], {}),
        ([], {"iss": "http://localhost:1/realms/mcp-realm"}),
        ([], {"aud": "somebody-else"}),
        ([], {"events": "$absent"}),
        ([], {"events": {EVENT: []}}),
        ([], {"nonce": "n"}),
        ([], {"typ": "Bearer"}),
        ([], {"exp": 1}),
        ([], {"exp": "$absent"}),
        ([], {"iat": 1}),
        ([], {"sid": "$absent", "sub": "$absent"}),
    ],
    ids=lambda value: str(value)[:50],
)
def test_nobody_else_ends_a_session(bench: Bench, steps: list[dict[str, Any]], claims: dict[str, Any]) -> None:
    running, session = bench.service, secrets.token_hex(8)
    forged = logout_token(running, "RS256", *steps, **{"sid": session, **claims})
    assert log_out(running, forged) == 400
    assert refusal(running, "OK", access_token(running, sid=session)) == ""


def test_an_access_token_ends_no_session(bench: Bench) -> None:
    session = secrets.token_hex(8)
    shown = access_token(bench.service, sid=session)
    assert log_out(bench.service, shown) == 400
    assert refusal(bench.service, "OK", shown) == ""


@pytest.fixture(scope="module")
def alone(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose Redis is away."""
    settings = {"REDIS_URL": f"redis://localhost:{free_port()}/0"}
    with service(issuer.issuer(REALM), tmp_path_factory.mktemp("alone"), **settings) as running:
        yield running


def test_without_redis_a_worker_knows_what_it_was_told(alone: Service) -> None:
    """Row 112: Keycloak hears 503, for other workers were not told; this one refuses, and judges all others."""
    session = secrets.token_hex(8)
    assert log_out(alone, logout_token(alone, sid=session)) == 503
    assert refusal(alone, "B revoked", access_token(alone, sid=session)) == ""
    assert refusal(alone, "OK", access_token(alone)) == ""
