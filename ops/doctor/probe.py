"""The first request of an MCP client: `initialize` of revision 2025-11-25, which servers of every revision answer."""

import json
from collections.abc import Mapping
from typing import Final

from ops.doctor.chain import Chain
from ops.doctor.fetch import Answer

PROTOCOL: Final = "2025-11-25"
HEADERS: Final = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": PROTOCOL,
}
_BODY: Final = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": PROTOCOL,
            "capabilities": {},
            "clientInfo": {"name": "secure-mcp-doctor", "version": "1"},
        },
    }
).encode()


async def initialize(
    chain: Chain, headers: Mapping[str, str] | None = None, token: str = "", url: str | None = None
) -> Answer:
    """Send `initialize` and return the answer; a session that it opens is closed again.

    Args:
        chain: the way.
        headers: beside the usual ones.
        token: bearer token; it goes only to the URL of the chain, and only over a protected connection.
        url: another URL than the chain's; never together with a token.
    """
    credentials = {"Authorization": f"Bearer {token}"} if token and url is None else {}
    sent = HEADERS | credentials | dict(headers or {})
    answer = await chain.fetcher.send("POST", url or chain.url, sent, _BODY, verified_only=bool(credentials))
    if session := answer.headers.get("mcp-session-id"):
        await chain.fetcher.send("DELETE", url or chain.url, sent | {"Mcp-Session-Id": session}, None)
    return answer
