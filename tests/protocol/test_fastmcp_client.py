"""The FastMCP client, as tool authors use it."""

import asyncio

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError

from tests.support.realm import Stack


@pytest.mark.requirement("MCP-CLIENTS")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_it_lists_and_calls_the_tools(stack: Stack, automation_token: str, mode: str) -> None:
    async def talk() -> None:
        async with Client(stack.mcp_url, auth=automation_token, mode=mode) as client:
            assert {tool.name for tool in await client.list_tools()} == {"echo", "timestamp", "calculate"}
            assert (await client.call_tool("echo", {"text": "hello"})).content[0].text == "hello"
            stamp = await client.call_tool("timestamp", {"timezone": "Europe/Berlin"})
            assert "+0" in stamp.content[0].text

    asyncio.run(talk())


@pytest.mark.requirement("TOOLS")
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("calculate", {"expression": "1 / 0"}),
        ("calculate", {"expression": "9 ** 9 ** 9"}),
        ("calculate", {"expression": "__import__('os')"}),
        ("calculate", {"expression": "(" * 5000}),
        ("timestamp", {"timezone": "Nowhere/City"}),
        ("timestamp", {"timezone": "../../etc/passwd"}),
    ],
)
def test_a_wrong_argument_is_told_to_the_caller(
    stack: Stack, automation_token: str, tool: str, arguments: dict
) -> None:
    async def talk() -> None:
        async with Client(stack.mcp_url, auth=automation_token) as client:
            await client.call_tool(tool, arguments)

    with pytest.raises(ToolError) as caught:
        asyncio.run(talk())
    assert "Traceback" not in str(caught.value)
