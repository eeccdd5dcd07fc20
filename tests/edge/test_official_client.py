"""tests/protocol/test_official_client.py through the edge."""

from tests.protocol.test_official_client import *  # noqa: F403
