"""Between the guard and the ordinary way: answers a usual call of a tool itself, at a fraction of the cost.

What is left out is what leads to the tool on the ordinary way: a task group, streams and a dozen models for each
request. Whatever is not usual, or fails, is handed on untouched.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastmcp import FastMCP
from fastmcp.server.middleware.dereference import DereferenceRefsMiddleware
from fastmcp.tools import FunctionTool
from starlette.types import ASGIApp, Receive, Scope, Send

from service.auth import strict_json
from service.auth.scopes import TOOLS_PATH
from service.direct.attempt import Attempt, attempting
from service.direct.envelope import answer, usual_call
from service.direct.tool import DirectTool, is_direct
from service.mcp_server import GuardedTools

_JSON: Final = (b"content-type", b"application/json")
_NO_STORE: Final = (b"cache-control", b"no-store")
_KNOWN_MIDDLEWARE: Final = (GuardedTools, DereferenceRefsMiddleware)
_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def direct_tools(server: FastMCP[Any], function_tools: Sequence[FunctionTool]) -> dict[str, DirectTool]:
    """Return the tools that may be called the short way, by name.

    There are none when the server has middleware that the short way knows nothing of.

    Args:
        server: the MCP server.
        function_tools: its tools.
    """
    if server.strict_input_validation or not all(isinstance(one, _KNOWN_MIDDLEWARE) for one in server.middleware):
        return {}
    return {form.name: DirectTool(form) for form in function_tools if is_direct(form)}


class DirectCalls:
    """ASGI layer that answers usual calls.

    Args:
        app: the ordinary way.
        server: the MCP server.
        tools: what may be called the short way; see `direct_tools`.
        mcp_path: path of the MCP endpoint.
    """

    def __init__(self, app: ASGIApp, server: FastMCP[Any], tools: Mapping[str, DirectTool], mcp_path: str) -> None:
        self.app = app
        self._tools = dict(tools)
        self._mcp_path = mcp_path
        self._server = {"name": server.name, "version": server.version or ""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a usual call, or pass it on."""
        tool = self._tools.get(scope.get("state", {}).get("tool"))
        if tool is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        with attempting() as attempt:
            if scope["path"] == self._mcp_path:
                content, headers = await self._mcp(tool, scope, attempt), [_JSON]
            else:
                content, headers = await _rest(tool, scope, attempt), [_NO_STORE, _JSON]
            if content is None:
                await self.app(scope, receive, send)
                return
        headers.append((b"content-length", b"%d" % len(content)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _mcp(self, tool: DirectTool, scope: Scope, attempt: Attempt) -> bytes | None:
        call = usual_call(scope["state"]["message"], tool.name, scope["headers"])
        if call is None or (result := await tool.run(call.arguments, attempt)) is None:
            return None
        try:
            return answer(call, result, tool.wrapped, self._server)
        except ValueError:
            return None


async def _rest(tool: DirectTool, scope: Scope, attempt: Attempt) -> bytes | None:
    try:
        arguments = strict_json.parse(scope["state"]["body"] or b"{}")
    except strict_json.JsonFault:
        return None
    if scope["path"] != f"{TOOLS_PATH}/{tool.name}" or not isinstance(arguments, dict):
        return None
    result = await tool.run(arguments, attempt)
    if result is None:
        return None
    try:
        return _encode({"tool": tool.name, "result": result.value}).encode()
    except ValueError:
        return None
