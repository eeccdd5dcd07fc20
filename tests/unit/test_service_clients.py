"""The official MCP client and FastMCP's against the service in process, in both protocols."""

import asyncio
from typing import Any

import httpx2
import pytest
from fastmcp import Client as FastMCPClient
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from service.app import create_app
from tests.unit import jose
from tests.unit.tokens import make_keys, make_settings, make_token, running


@pytest.mark.parametrize(
    ("mode", "version"), [("2026-07-28", "2026-07-28"), ("auto", "2026-07-28"), ("legacy", "2025-11-25")]
)
def test_the_official_client(mode: str, version: str) -> None:
    async def main() -> None:
        app = create_app(make_settings(), make_keys())
        transport: Any = httpx2.ASGITransport(app)  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {make_token()}"}
        async with (
            running(app),
            httpx2.AsyncClient(transport=transport, headers=headers) as http,
            Client(streamable_http_client(jose.AUDIENCE, http_client=http), mode=mode) as client,
        ):
            assert client.protocol_version == version
            assert {entry.name for entry in (await client.list_tools()).tools} == {"echo", "timestamp", "calculate"}
            echoed = await client.call_tool("echo", {"text": "hello"})
            assert echoed.structured_content == {"result": "hello"}
            refused = await client.call_tool("calculate", {"expression": "1/0"})
            assert refused.is_error

    asyncio.run(main())


def test_the_client_of_fastmcp() -> None:
    async def main() -> None:
        app = create_app(make_settings(), make_keys())

        def http_client(**options: Any) -> httpx2.AsyncClient:
            return httpx2.AsyncClient(**{**options, "transport": httpx2.ASGITransport(app)})  # type: ignore[arg-type]

        transport = StreamableHttpTransport(jose.AUDIENCE, auth=make_token(), httpx_client_factory=http_client)
        async with running(app), FastMCPClient(transport) as client:
            assert {entry.name for entry in await client.list_tools()} == {"echo", "timestamp", "calculate"}
            assert (await client.call_tool("calculate", {"expression": "6*7"})).data == 42
            with pytest.raises(ToolError, match="divides by zero"):
                await client.call_tool("calculate", {"expression": "1/0"})

    asyncio.run(main())
