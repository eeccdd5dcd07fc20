"""tests/realm/test_authorization_code.py through the edge."""

from tests.realm.test_authorization_code import *  # noqa: F403
