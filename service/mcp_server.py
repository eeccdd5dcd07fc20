"""The MCP side: FastMCP with every tool of the registry, Streamable HTTP, stateless, JSON answers."""

from collections.abc import Sequence
from typing import Any

import fastmcp
import structlog
from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError, ToolError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import FunctionTool, Tool, ToolResult
from mcp_types import CallToolRequestParams, ListToolsRequest, ToolAnnotations
from pydantic import ValidationError as PydanticValidationError

from service import __version__
from service.context import current_caller, current_permit
from service.direct.attempt import once
from service.telemetry.events import Event
from service.tools.registry import ToolRegistry

log = structlog.get_logger(__name__)

INSTRUCTIONS = "Call tools/list to see the tools that your access token allows. A call that needs more is answered 403."


# Lists differ by access token, so no cache may share them; a client may keep its own for this long.
LIST_TTL_SECONDS = 60


class InvalidArguments(ToolError):
    """The arguments of a call do not fit the tool; the text says which and why, without repeating a value."""


class GuardedTools(Middleware):
    """Shows what the caller may call, and runs only what the guard has judged."""

    def __init__(self, tools: ToolRegistry) -> None:
        self._tools = tools

    async def on_list_tools(
        self,
        context: MiddlewareContext[ListToolsRequest],
        call_next: CallNext[ListToolsRequest, Sequence[Tool]],
    ) -> Sequence[Tool]:
        """Leave out what would be refused (MCP: a list may vary by the authorization presented)."""
        allowed = {tool.name for tool in self._tools.callable_with(current_caller().scopes)}
        return [tool for tool in await call_next(context) if tool.name in allowed]

    async def on_call_tool(
        self,
        context: MiddlewareContext[CallToolRequestParams],
        call_next: CallNext[CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Refuse any tool but the one that the guard has judged, however the message reached this place."""
        name = context.message.name
        if name != current_permit().tool:
            raise NotFoundError("Unknown tool; call tools/list to see the tools that there are")
        try:
            return await call_next(context)
        except ValidationError as error:
            raise InvalidArguments(describe_faults(error)) from None
        except ToolError as error:
            if error.__cause__ is not None:  # not raised by the tool's author: a fault of ours
                log.error(Event.TOOL_FAILED, tool=name, exc_info=error.__cause__)
            raise


def describe_faults(error: ValidationError) -> str:
    """Return what is wrong with arguments, in words.

    Args:
        error: FastMCP's error around pydantic's.
    """
    cause = error.__cause__
    if not isinstance(cause, PydanticValidationError):
        return "The arguments do not fit the tool; see its input schema"
    words = {"missing_argument": "is required", "unexpected_keyword_argument": "is no argument of this tool"}
    faults = cause.errors(include_url=False, include_context=False, include_input=False)
    lines = []
    for fault in faults[:10]:
        message = fault["msg"][:1].lower() + fault["msg"][1:]
        lines.append(f"{'.'.join(map(str, fault['loc']))[:100]}: {words.get(fault['type'], message)}")
    return "; ".join(lines)


def build_tools(tools: ToolRegistry) -> list[FunctionTool]:
    """Return FastMCP's form of every tool.

    Args:
        tools: all tools.
    """
    return [
        FunctionTool.from_function(
            once(tool.function, tool.name),
            name=tool.name,
            title=tool.title,
            description=tool.description,
            annotations=ToolAnnotations(read_only_hint=tool.read_only),
        )
        for tool in tools.values()
    ]


def build_mcp_server(tools: ToolRegistry, function_tools: Sequence[FunctionTool]) -> FastMCP[Any]:
    """Return the MCP server. It trusts the guard in front of it and has no authentication of its own.

    Args:
        tools: all tools.
        function_tools: FastMCP's form of them.
    """
    fastmcp.settings.telemetry_mode = "off"
    fastmcp.settings.mcp_camelcase_compat = False
    server: FastMCP[Any] = FastMCP(
        "Secure MCP",
        instructions=INSTRUCTIONS,
        version=__version__,
        middleware=[GuardedTools(tools)],
        tools=function_tools,
        mask_error_details=True,
        on_duplicate="error",
        cache_ttl=LIST_TTL_SECONDS,
        cache_scope="private",
    )
    # Without it the SDK runs tools/list before each call of the 2026-07-28 protocol, to look for `x-mcp-header`.
    server._mcp_server.get_tool_input_schema = {form.name: form.parameters for form in function_tools}.get  # noqa: SLF001
    return server
