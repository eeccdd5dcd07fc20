"""Streamable HTTP through the edge."""

import pytest

from tests.protocol.test_transport import *  # noqa: F403
from tests.support.http import Service


@pytest.mark.requirement("MCP-R27")
@pytest.mark.parametrize("name", ["echo", "/admin", "=?base64?ZWNobw==?=", "x" * 2000])
@pytest.mark.parametrize("version", ["2026-07-28", "2025-03-26", ""])
def test_the_edge_decides_nothing_by_mirrored_headers(
    service: Service, reader_token: str, name: str, version: str
) -> None:
    """Whatever they say, the call reaches the service, and it is the one to judge them."""
    headers = {
        "Mcp-Method": "tools/call",
        "Mcp-Name": name,
        "MCP-Protocol-Version": version,
        "X-Request-ID": "mirrored",
    }
    answer = service.mcp.call(
        "calculate", {"expression": "1"}, token=reader_token, version="2025-11-25", headers=headers
    )
    assert answer.status_code in {400, 403}, answer.text
    assert {"jsonrpc", "error_description"} & answer.json().keys(), answer.text
    assert answer.headers["x-request-id"] == "mirrored"
