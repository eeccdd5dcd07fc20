"""tests/realm/test_refused_tokens.py through the edge."""

from tests.realm.test_refused_tokens import *  # noqa: F403
