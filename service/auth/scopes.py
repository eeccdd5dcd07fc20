"""Which scopes a request needs."""

from typing import Final, NamedTuple

from service.tools.registry import ToolRegistry

FIRST_SCOPES: Final = ("mcp:read",)
"""What a first call needs: every request that calls no tool. Also what metadata and 401 tell clients to ask for."""

TOOLS_PATH: Final = "/api/v1/tools"


class Demand(NamedTuple):
    """What one request needs. `tool` is the name of a tool that exists, or None."""

    scopes: tuple[str, ...]
    tool: str | None


def demand_of_tool(tools: ToolRegistry, name: str | None) -> Demand:
    """Return what a call needs.

    Args:
        tools: all tools.
        name: as the caller wrote it; a tool that does not exist needs what a first call needs.
    """
    tool = tools.get(name) if name is not None else None
    return Demand(tool.scopes, tool.name) if tool else Demand(FIRST_SCOPES, None)


def demand_of_path(tools: ToolRegistry, path: str) -> Demand:
    """Return what a request outside the MCP endpoint needs; the REST view names its tool in the path.

    Args:
        tools: all tools.
        path: the decoded path of the URL.
    """
    prefix, _, name = path.rpartition("/")
    return demand_of_tool(tools, name if prefix == TOOLS_PATH else None)
