"""The REST view: the same tools, behind the same guard, with one route and one OpenAPI entry for each."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Security
from fastapi.security import OAuth2AuthorizationCodeBearer
from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError, ToolError
from fastmcp.tools import FunctionTool
from fastmcp.utilities.json_schema import dereference_refs
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from service.api.dependencies import CurrentCaller
from service.api.errors import Error, respond
from service.auth import strict_json
from service.auth.challenge import simple_refusal
from service.auth.scopes import FIRST_SCOPES, TOOLS_PATH
from service.direct.tool import is_wrapped
from service.mcp_server import InvalidArguments
from service.tools.registry import Tool, ToolRegistry

_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Error, "description": "No access token, or not a valid one; see the header WWW-Authenticate"},
    403: {"model": Error, "description": "The token lacks a scope; the header WWW-Authenticate names all needed"},
    503: {"model": Error, "description": "Tokens cannot be judged now; see the header Retry-After"},
}
_CALL_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "The body is not JSON"},
    404: {"model": Error, "description": "There is no such tool"},
    413: {"model": Error, "description": "The body is too large"},
    415: {"model": Error, "description": "The body is not application/json"},
    422: {"model": Error, "description": "The arguments do not fit, or the tool says that they have no result"},
}


class ToolEntry(BaseModel):
    """A tool that the caller may call."""

    name: str = Field(examples=["echo"])
    title: str = Field(examples=["Echo"])
    description: str = Field(examples=["Return the text unchanged."])
    scopes: list[str] = Field(description="All needed for a call.", examples=[["mcp:read"]])
    input_schema: dict[str, Any] = Field(description="JSON Schema of the arguments.")
    output_schema: dict[str, Any] | None = Field(description="JSON Schema of the structured result.")
    example: dict[str, Any] = Field(description="Arguments that work.", examples=[{"text": "hello"}])


class ToolList(BaseModel):
    """The tools that the caller may call."""

    tools: list[ToolEntry]


def tools_router(
    server: FastMCP[Any],
    tools: ToolRegistry,
    function_tools: Sequence[FunctionTool],
    oauth2: OAuth2AuthorizationCodeBearer,
) -> APIRouter:
    """Return the routes.

    Args:
        server: runs the calls.
        tools: all tools.
        function_tools: FastMCP's form of them, for the schemas.
        oauth2: how to get a token, for OpenAPI.
    """
    router = APIRouter(prefix=TOOLS_PATH, tags=["tools"])
    forms = {form.name: form for form in function_tools}

    @router.get("", dependencies=[Security(oauth2, scopes=FIRST_SCOPES)], responses=_REFUSALS)
    async def list_tools(caller: CurrentCaller) -> ToolList:
        """List the tools that the access token allows."""
        return ToolList(tools=[_entry(tool, forms[tool.name]) for tool in tools.callable_with(caller.scopes)])

    for tool in tools.values():
        form = forms[tool.name]
        router.add_api_route(
            f"/{tool.name}",
            _route(server, tool.name, is_wrapped(form)),
            methods=["POST"],
            name=tool.name,
            summary=tool.title,
            description=f"{tool.description}\n\nNeeds: {' '.join(tool.scopes)}",
            operation_id=f"call_{tool.name}",
            dependencies=[Security(oauth2, scopes=tool.scopes)],
            response_model=None,
            responses={200: _answer(tool, form), **_REFUSALS, **_CALL_REFUSALS},
            openapi_extra={
                "requestBody": {
                    "required": bool(form.parameters.get("required")),
                    "content": {
                        "application/json": {"schema": dereference_refs(form.parameters), "example": tool.example}
                    },
                }
            },
        )

    @router.post("/{name}", include_in_schema=False)
    async def unknown_tool(request: Request) -> Response:
        refusal = simple_refusal(
            404, "unknown_tool", f"There is no such tool; GET {TOOLS_PATH} lists those you may call"
        )
        return respond(request, refusal)

    return router


def _route(server: FastMCP[Any], name: str, wrapped: bool) -> Any:
    async def call(request: Request) -> Response:
        try:
            body = await request.body()
            arguments = strict_json.parse(body) if body else {}
        except strict_json.JsonFault as fault:
            return respond(request, simple_refusal(400, "invalid_json", f"{fault}; send an object with the arguments"))
        if not isinstance(arguments, dict):
            return respond(request, simple_refusal(422, "invalid_arguments", "Send an object with the arguments"))
        try:
            result = await server.call_tool(name, arguments)
        except InvalidArguments as error:
            return respond(request, simple_refusal(422, "invalid_arguments", str(error)))
        except NotFoundError:
            return respond(request, simple_refusal(404, "unknown_tool", "There is no such tool"))
        except ToolError as error:
            if error.__cause__ is not None:
                raise
            return respond(request, simple_refusal(422, "tool_error", str(error)))
        value: Any = result.structured_content
        if wrapped and isinstance(value, dict):
            value = value["result"]
        return JSONResponse({"tool": name, "result": value}, headers={"Cache-Control": "no-store"})

    return call


def _entry(tool: Tool, form: FunctionTool) -> ToolEntry:
    return ToolEntry(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        scopes=list(tool.scopes),
        input_schema=form.parameters,
        output_schema=form.output_schema,
        example=dict(tool.example),
    )


def _answer(tool: Tool, form: FunctionTool) -> dict[str, Any]:
    output = dereference_refs(form.output_schema or {})
    result = output["properties"]["result"] if is_wrapped(form) else output
    properties = {"tool": {"const": tool.name}, "result": result}
    schema = {"type": "object", "required": ["tool", "result"], "properties": properties}
    return {"description": "What the tool returned", "content": {"application/json": {"schema": schema}}}
