"""Each bad edit of tests/review/mutations still finds what it edits; planning them is the terraform tiers'."""

import pytest

from ops.environment import REPOSITORY
from tests.review.mutations import Mutation, load


@pytest.mark.parametrize("root", ["keycloak", "docker"])
def test_each_edit_fits_the_code_as_it_is(root: str) -> None:
    assert [edit.id for edit in load(root) if not fits(edit)] == []


def fits(edit: Mutation) -> bool:
    return bool(edit.append) or edit.old in (REPOSITORY / edit.file).read_text(encoding="utf-8")
