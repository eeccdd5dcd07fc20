"""tests/realm/test_scopes.py through the edge."""

from tests.realm.test_scopes import *  # noqa: F403
