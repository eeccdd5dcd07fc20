"""Logout tokens at their edges, with a clock that stands still (OpenID Connect Back-Channel Logout 1.0 section 2.6)."""

from typing import Any

import pytest

from service.auth.errors import TokenRefused
from service.auth.jwk import SUPPORTED_ALGORITHMS
from service.auth.logout import LOGOUT_EVENT, MAX_LIFETIME, LogoutToken, LogoutTokenValidator
from tests.security.judge import LEEWAY, WORLD, Keys, token

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS", "RFC7519-4.1.4")

NOW = 1_800_000_000
GOOD = {
    "aud": "mcp-cli",
    "events": {LOGOUT_EVENT: {}},
    "typ": "Logout",
    "iat": NOW,
    "exp": NOW + 120,
    "sid": "s",
    "sub": "p",
}


def verdict(*steps: dict[str, Any], **claims: Any) -> LogoutToken | str:
    """Return what a logout token ends, or why it is refused."""
    judge = LogoutTokenValidator(
        issuer=WORLD.iss,
        clients=frozenset({"mcp-cli", "mcp-automation"}),
        algorithms=SUPPORTED_ALGORITHMS,
        leeway=LEEWAY,
        keys=Keys(),
        clock=lambda: NOW,
    )
    shown = token("ES256", {"header": {"typ": "logout+jwt"}}, {"claims": {**GOOD, **claims}}, *steps)
    try:
        judge.validate(shown).send(None)
    except StopIteration as done:
        found: LogoutToken = done.value
        return found
    except TokenRefused as refused:
        return refused.reason
    raise AssertionError


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW - LEEWAY + 1, "iat": NOW - 100}, None),
        ({"exp": NOW - LEEWAY, "iat": NOW - 100}, "expired"),
        ({"exp": NOW + 5, "iat": NOW - 20}, None),
        ({"iat": NOW + LEEWAY, "exp": NOW + 60}, None),
        ({"iat": NOW + LEEWAY + 1, "exp": NOW + 60}, "not_yet_valid"),
        ({"exp": NOW + MAX_LIFETIME}, None),
        ({"exp": NOW + MAX_LIFETIME + 1}, "lifetime_too_long"),
        ({"typ": "$absent"}, None),
        ({"typ": None}, "wrong_type"),
        ({"typ": "logout"}, "wrong_type"),
        ({"aud": ["x", "mcp-automation"]}, None),
        ({"aud": ["x"]}, "wrong_audience"),
        ({"aud": [["mcp-cli"]]}, "wrong_audience"),
        ({"aud": {"mcp-cli": 1}}, "wrong_audience"),
        ({"events": {LOGOUT_EVENT: {"x": 1}, "y": {}}}, None),
        ({"nonce": None}, "wrong_type"),
        ({"sid": "a b", "sub": "$absent"}, "malformed_claims"),
    ],
)
def test_an_edge_is_exact(claims: dict[str, Any], reason: str | None) -> None:
    found = verdict(**claims)
    assert isinstance(found, LogoutToken) if reason is None else found == reason


def test_what_ended_is_told() -> None:
    assert verdict() == LogoutToken("s", "p", NOW)
    assert verdict(sid="$absent") == LogoutToken(None, "p", NOW)
    assert verdict(sub="$absent") == LogoutToken("s", None, NOW)
    assert verdict(iat=NOW + 0.5) == LogoutToken("s", "p", NOW)


def test_a_payload_that_is_no_object_is_refused_as_malformed() -> None:
    assert verdict({"payload_text": "[]"}) == "malformed_claims"
    assert verdict({"payload_members": '|"sid":"t"'}) == "malformed_claims"
