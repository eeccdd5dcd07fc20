"""The suites of tests/security in full: every substitution, 200,000 fuzzed tokens, mutation of the code itself."""

import pytest

from tests.security.fuzzing import compare_with_oracle, show_to_guard
from tests.security.judge import token
from tests.security.keyring import ALGORITHMS
from tests.security.mutation import MINIMUM, run
from tests.security.substitution import ALPHABET, accepted


@pytest.mark.requirement("RFC7515-5.2")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_other_character_is_accepted_anywhere(algorithm: str) -> None:
    tried, found = accepted(algorithm, None)
    assert found == []
    assert tried >= (len(token(algorithm)) - 2) * (len(ALPHABET) - 1)


def test_nothing_of_many_is_accepted_that_the_oracle_refuses() -> None:
    counts = compare_with_oracle(160_000)
    assert counts["accepted"] > 10_000, counts


def test_no_presentation_of_many_breaks_the_guard() -> None:
    counts = show_to_guard(40_000)
    assert counts["200"] > 1000, counts


@pytest.mark.requirement("TOKEN-MUTATION")
def test_a_change_of_the_code_fails_a_test() -> None:
    """Mutation testing; docs/hostile-tokens.md explains the survivors."""
    score = run()
    assert score.killed / score.total >= MINIMUM, score
