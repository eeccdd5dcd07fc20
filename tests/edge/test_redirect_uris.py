"""tests/realm/test_redirect_uris.py through the edge."""

from tests.realm.test_redirect_uris import *  # noqa: F403
