"""Asks another API who calls: a demonstration of token exchange, absent unless SECURE_MCP_DOWNSTREAM_URL is set."""

import asyncio
from typing import Any, Final

import httpx
from pydantic import BaseModel, Field

from service.auth import strict_json
from service.context import current_delegation
from service.tools.registry import ToolFailure, tool

SECONDS: Final = 5.0
MAX_ANSWER_BYTES: Final = 16 * 1024
_DEPTH: Final = 8


class DownstreamAnswer(BaseModel):
    """What the other API said."""

    api: str = Field(description="Audience of the token that the API was sent.", examples=["downstream-api"])
    answer: dict[str, Any] = Field(description="The JSON object that it answered with.")


@tool(scopes=("mcp:read",), title="Who am I elsewhere", needs=("downstream_url",))
async def whoami_downstream() -> DownstreamAnswer:
    """Ask another API who you are. It gets a token made for it alone, never yours."""
    delegation = current_delegation()
    api, url = delegation.downstream.audience, str(delegation.downstream.url)
    token = await delegation.token(api, ("mcp:read",))
    headers = {"authorization": f"Bearer {token.get_secret_value()}", "accept": "application/json"}
    try:
        async with asyncio.timeout(SECONDS):
            status, body = await _get(url, headers)
    except (TimeoutError, httpx.HTTPError):
        # Not chained: what httpx raises knows the request, and with it the token.
        raise ToolFailure("The other API does not answer now; try again later") from None
    if status != httpx.codes.OK:
        raise ToolFailure(f"The other API answered with HTTP status {status}; ask whoever runs it")
    try:
        answer = strict_json.parse(body, _DEPTH)
    except strict_json.JsonFault:
        answer = None
    if not isinstance(answer, dict):
        raise ToolFailure("The other API did not answer with a JSON object; ask whoever runs it")
    return DownstreamAnswer(api=api, answer=answer)


async def _get(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Return status and body; redirects are not followed, for the token is for this address."""
    async with (
        httpx.AsyncClient(timeout=SECONDS, follow_redirects=False) as client,
        client.stream("GET", url, headers={**headers, "accept-encoding": "identity"}) as response,
    ):
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise ToolFailure("The other API answered with too much; ask whoever runs it")
        return response.status_code, bytes(body)
