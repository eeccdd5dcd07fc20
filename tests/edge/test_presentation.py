"""How a token may be presented, through the edge."""

import pytest

from tests.protocol.test_presentation import *  # noqa: F403
from tests.support import client
from tests.support.http import bearer, message
from tests.support.realm import Stack


@pytest.mark.requirement("RFC6750-2", "RFC6750-3.1-REQUEST")
@pytest.mark.parametrize("order", ["good bad", "bad good", "good good", "basic good", "good basic"])
def test_two_authorization_headers_are_one_too_many(stack: Stack, reader_token: str, order: str) -> None:
    """Nginx refuses a repeated Authorization by itself: 400 as well, without a challenge."""
    values = {"good": f"Bearer {reader_token}", "bad": "Bearer x.y.z", "basic": "Basic eDp5"}
    body, headers = message("tools/list")
    pairs = [*headers.items(), *(("Authorization", values[name]) for name in order.split())]
    answer = client.post(stack.mcp_url, json=body, headers=pairs)
    assert (answer.status_code, "www-authenticate" in answer.headers) == (400, False)
    assert bearer(reader_token)["Authorization"] not in answer.text
