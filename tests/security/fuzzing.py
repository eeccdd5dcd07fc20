"""The properties that the fuzz checks; tests/security runs them briefly, tests/long at length."""

import time
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from structlog.testing import capture_logs

from service.auth.token import Caller
from tests.security.fuzz import Shown, presentations, tokens
from tests.security.inside import ask, decisions, guarded
from tests.security.judge import validator, verdict
from tests.security.oracle import accepts

# Where we are stricter than PyJWT, and why (docs/hostile-tokens.md).
STRICTER = {
    "malformed_token": "encoding, doubled names, unknown members, depth",
    "malformed_claims": "doubled names, numbers out of range, depth",
    "unknown_key": "kid of more than 200 characters",
}
STATUSES = {200, 400, 401, 403, 404, 405, 413, 415}


def _settings(examples: int) -> Any:
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )


def compare_with_oracle(examples: int) -> Counter[str]:
    """Show tokens to the validator and to the oracle and count the verdicts.

    Whatever the validator accepts the oracle accepts; where only the oracle does, the reason is one of `STRICTER`.
    """
    judge, counts = validator(), Counter[str]()

    @_settings(examples)
    @given(tokens())
    def check(shown: Shown) -> None:
        now = time.time()
        judge._clock = lambda: now
        found = verdict(judge, shown.token)
        counts["accepted" if isinstance(found, Caller) else found] += 1
        second = accepts(shown.token, now)
        if isinstance(found, Caller):
            assert second, f"accepted, but the oracle refuses: {shown}"
        elif second:
            counts["stricter"] += 1
            assert found in STRICTER, f"refused as {found}, but the oracle accepts: {shown}"

    check()
    return counts


def show_to_guard(examples: int) -> Counter[str]:
    """Present tokens in odd ways to the guard and count the statuses: none is a 5xx, none passes without the oracle."""
    app, counts = guarded(validator()), Counter[str]()

    @_settings(examples)
    @given(presentations())
    def check(presented: tuple[list[tuple[bytes, bytes]], bytes, bytes, Shown]) -> None:
        headers, query, body, shown = presented
        with capture_logs() as lines, decisions() as judged:
            status = ask(app, headers, query=query, body=body).status
        counts[str(status)] += 1
        assert status in STATUSES, f"{status} for {presented}"
        if status in (200, 403):
            assert accepts(shown.token, time.time()), f"let in, but the oracle refuses: {presented}"
            assert len([1 for name, _ in headers if name == b"authorization"]) == 1
        signature = shown.token.rpartition(".")[2]
        assert len(signature) < 20 or signature not in f"{lines}{judged}"

    check()
    return counts
