"""tests/realm/test_refresh.py through the edge."""

from tests.realm.test_refresh import *  # noqa: F403
