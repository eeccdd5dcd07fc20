"""tests/protocol/test_rest.py through the edge."""

from tests.protocol.test_rest import *  # noqa: F403
