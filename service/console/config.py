"""What the pages must know: where to sign in, as whom, for which scopes, and which tools there are.

All of it is public: the same stands in the resource metadata and in OpenAPI.
"""

import json
from collections.abc import Sequence
from importlib import resources
from string import Template
from typing import Any, Final
from urllib.parse import urlsplit

from fastmcp.tools import FunctionTool
from fastmcp.utilities.json_schema import dereference_refs

from service import __version__
from service.auth.scopes import FIRST_SCOPES
from service.contract import Contract
from service.settings import Settings
from service.tools.registry import Tool, ToolRegistry

CONSOLE_CLIENT: Final = "mcp-console"
CONSOLE_CALLBACK: Final = "/console/callback"
DOCS_CALLBACK: Final = "/docs/oauth2-redirect"
NATIVE_CLIENT: Final = "mcp-cli"
SERVER_NAME: Final = "secure-mcp"


def auth_origin(settings: Settings) -> str:
    """Return scheme, host and port of the authorization server."""
    parts = urlsplit(settings.issuer)
    return f"{parts.scheme}://{parts.netloc}"


def page_config(
    settings: Settings, contract: Contract, tools: ToolRegistry, function_tools: Sequence[FunctionTool]
) -> dict[str, Any]:
    """Return the document that the pages read at their start.

    Args:
        settings: the settings.
        contract: describes the scopes.
        tools: all tools.
        function_tools: FastMCP's form of them, for the schemas.
    """
    forms = {form.name: form for form in function_tools}
    return {
        "version": __version__,
        "environment": settings.environment,
        "resource": settings.audience,
        "mcp_path": settings.mcp_path,
        "issuer": settings.issuer,
        "client_id": CONSOLE_CLIENT,
        "redirect_paths": {"console": CONSOLE_CALLBACK, "docs": DOCS_CALLBACK},
        "first_scopes": list(FIRST_SCOPES),
        "scopes": {
            name: {"description": scope.description, "implies": list(scope.implies)}
            for name, scope in contract.scopes.items()
        },
        "tools": [_tool(tool, forms[tool.name]) for tool in sorted(tools.values(), key=_easy_first)],
        "connect": connect_texts(settings, contract),
    }


def connect_texts(settings: Settings, contract: Contract) -> list[dict[str, str]]:
    """Return how to connect some MCP clients: `title`, `how` in words, `text` to copy. The texts are connect.json's.

    Args:
        settings: the settings.
        contract: names the scopes.
    """
    ways = json.loads((resources.files("service.console") / "connect.json").read_text(encoding="utf-8"))
    values = {
        "name": SERVER_NAME,
        "url": settings.audience,
        "origin": settings.public_origin,
        "client_id": NATIVE_CLIENT,
        "scope_list": json.dumps(list(contract.scopes)),
    }
    return [{name: Template(text).substitute(values) for name, text in way.items()} for way in ways]


def _easy_first(tool: Tool) -> tuple[bool, str]:
    """What the scopes of a first sign-in allow comes first."""
    return not set(tool.scopes) <= set(FIRST_SCOPES), tool.name


def _tool(tool: Tool, form: FunctionTool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "scopes": list(tool.scopes),
        "read_only": tool.read_only,
        "input_schema": dereference_refs(form.parameters),
        "example": dict(tool.example),
    }
