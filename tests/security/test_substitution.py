"""Row 62 of the table, quick form: a seeded sample; tests/long has the whole."""

import pytest

from tests.security.keyring import ALGORITHMS
from tests.security.substitution import accepted

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS", "RFC7515-5.2")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_other_character_is_accepted(algorithm: str) -> None:
    assert accepted(algorithm, 2000) == (2000, [])
