"""tests/realm/test_resource_parameter.py through the edge."""

from tests.realm.test_resource_parameter import *  # noqa: F403
