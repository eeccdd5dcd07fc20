"""The MCP SDK's low-level server with a verifier."""

from typing import Any

from joserfc.errors import JoseError
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.lowlevel import Server
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool
from pydantic import AnyHttpUrl

from tests.benchmarks.calls.peers import AUDIENCE, ISSUER
from tests.benchmarks.calls.peers.judge import Judge


class _Verifier(Judge):
    async def verify_token(self, token: str) -> AccessToken | None:
        """The SDK's protocol TokenVerifier."""
        try:
            claims = self.judge(token)
        except (JoseError, ValueError):
            return None
        return AccessToken(
            token=token, client_id=claims["azp"], scopes=claims["scope"].split(), expires_at=claims["exp"]
        )


def sdk_lowlevel() -> Any:
    """The MCP SDK's low-level server with a verifier."""
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}

    async def list_tools(_context: Any, _params: Any) -> ListToolsResult:
        return ListToolsResult(tools=[Tool(name="echo", description="Return the text.", input_schema=schema)])

    async def call_tool(_context: Any, params: Any) -> CallToolResult:
        text = params.arguments["text"]
        return CallToolResult(content=[TextContent(type="text", text=text)], structured_content={"result": text})

    # Without the lookup it would run tools/list before each call of the 2026-07-28 protocol.
    server: Server[Any] = Server(
        "peer", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema={"echo": schema}.get
    )
    settings = AuthSettings(
        issuer_url=AnyHttpUrl(ISSUER),
        resource_server_url=AnyHttpUrl(AUDIENCE),
        required_scopes=["mcp:read"],
        validate_token_resource=False,
    )
    return server.streamable_http_app(
        streamable_http_path="/mcp", json_response=True, stateless_http=True, auth=settings, token_verifier=_Verifier()
    )
