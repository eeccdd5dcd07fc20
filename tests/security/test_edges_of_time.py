"""Time, to the second, with a clock that stands still (RFC 7519 sections 4.1.4 to 4.1.6)."""

import pytest

from service.auth.token import Caller
from tests.security.judge import LEEWAY, MAX_LIFETIME, Keys, token, validator, verdict
from tests.security.keyring import ALGORITHMS

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS", "RFC7519-4.1.4")

NOW = 1_800_000_000
EDGES = [
    ({"exp": NOW + 1 - LEEWAY}, None),
    ({"exp": NOW - LEEWAY + 0.5}, None),
    ({"exp": NOW - LEEWAY}, "expired"),
    ({"exp": NOW - LEEWAY - 1}, "expired"),
    ({"iat": NOW + LEEWAY}, None),
    ({"iat": NOW + LEEWAY + 1}, "not_yet_valid"),
    ({"nbf": NOW + LEEWAY}, None),
    ({"nbf": NOW + LEEWAY + 1}, "not_yet_valid"),
    ({"nbf": NOW + LEEWAY + 0.5}, "not_yet_valid"),
    ({"exp": NOW - 5 + MAX_LIFETIME}, None),
    ({"exp": NOW - 4 + MAX_LIFETIME}, "lifetime_too_long"),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("claims", "expected"), EDGES, ids=[str(edge[0]) for edge in EDGES])
def test_the_leeway_is_exact(algorithm: str, claims: dict[str, float], expected: str | None) -> None:
    """Row 83."""
    shown = token(algorithm, {"claims": {"exp": NOW + 60, "iat": NOW - 5, **claims}})
    found = verdict(validator(lambda: NOW), shown)
    assert isinstance(found, Caller) if expected is None else found == expected


@pytest.mark.parametrize("seconds", [0, 30, 300])
def test_a_remembered_token_ends_on_time(seconds: int) -> None:
    """The memory of verified tokens never outlives `exp`, and forgets after its own time."""
    now = [float(NOW)]
    judge = validator(lambda: now[0], cache_seconds=seconds)
    shown = token("ES256", {"claims": {"exp": NOW + 60, "iat": NOW}})
    last = 60 + LEEWAY
    for passed, accepted in ((0, True), (59, True), (last - 1, True), (last, False), (last + 1, False)):
        now[0] = NOW + passed
        assert isinstance(verdict(judge, shown), Caller) is accepted, passed


def test_keys_that_are_too_old_judge_nothing() -> None:
    """An outage that outlasts the cap is 503, also for a header that was seen before."""
    keys = Keys()
    judge = validator(keys=keys)
    assert isinstance(verdict(judge, token("ES256")), Caller)
    keys.away = True
    assert verdict(judge, token("ES256")) == "keys_unavailable"
