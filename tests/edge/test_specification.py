"""tests/protocol/test_specification.py through the edge."""

from tests.protocol.test_specification import *  # noqa: F403
