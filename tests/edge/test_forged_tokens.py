"""Forged tokens through the edge."""

import pytest

from tests.realm.test_forged_tokens import *  # noqa: F403
from tests.realm.test_forged_tokens import FORGERIES
from tests.support.http import Service
from tests.support.realm import Stack
from tests.support.verdict import assert_refused

TOO_LARGE = "60 KB"


@pytest.mark.requirement("MCP-R9", "MCP-R12", "RFC8725-3.1")
@pytest.mark.parametrize("name", [name for name in FORGERIES if name != TOO_LARGE])
def test_a_forged_token_is_refused(stack: Stack, service: Service, reader_token: str, name: str) -> None:
    assert_refused(service, stack, FORGERIES[name](reader_token))


@pytest.mark.requirement("MCP-R12")
def test_a_token_larger_than_a_header_may_be_is_refused_by_the_edge(service: Service, reader_token: str) -> None:
    """16 KiB a header line (edge.conf): a 400 of Nginx, without a challenge."""
    for entrance in ("mcp", "rest"):
        answer = service.use("echo", {"text": "x"}, FORGERIES[TOO_LARGE](reader_token), entrance=entrance)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html")
