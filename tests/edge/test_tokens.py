"""tests/realm/test_tokens.py through the edge."""

from tests.realm.test_tokens import *  # noqa: F403
