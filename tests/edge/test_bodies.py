"""tests/protocol/test_bodies.py through the edge."""

from tests.protocol.test_bodies import *  # noqa: F403
