"""tests/protocol/test_resource_metadata.py through the edge."""

from tests.protocol.test_resource_metadata import *  # noqa: F403
