"""The gate in front of everything: no request reaches any code but with a judged token and enough scopes.

Default deny: only listed paths are public. What is decided about access is decided here, once, and goes
to the audit trail.
"""

from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from service.auth.bearer import FORM, bearer_token, carries_token
from service.auth.body import Disconnected, read_body, replay
from service.auth.challenge import Challenges, Refusal, simple_refusal
from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.jsonrpc import MessageRefused, read_message, trimmed
from service.auth.rate import CallerRate
from service.auth.scopes import Demand, demand_of_path, demand_of_tool
from service.auth.token import Caller, TokenValidator
from service.context import Permit, permitted
from service.downstream import Downstream
from service.telemetry.audit import record
from service.telemetry.events import Event
from service.tools.registry import ToolRegistry

_ALLOWED: Final = Event.ACCESS_ALLOWED


class Guard:
    """ASGI layer that authenticates and authorizes each request.

    Args:
        app: what is guarded.
        validator: judges access tokens.
        tools: all tools with their scopes.
        challenges: makes the refusals.
        mcp_path: path of the MCP endpoint.
        public_paths: paths that need no token, each spelled out.
        downstream: what tools call other APIs with; None where tokens are not exchanged.
        caller_rate: how many requests a caller may send; None means any number.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        validator: TokenValidator,
        tools: ToolRegistry,
        challenges: Challenges,
        mcp_path: str,
        public_paths: Iterable[str],
        downstream: Downstream | None = None,
        caller_rate: CallerRate | None = None,
    ) -> None:
        self.app = app
        self._validator = validator
        self._tools = tools
        self._challenges = challenges
        self._mcp_path = mcp_path
        self._public_paths = frozenset(public_paths)
        self._downstream = downstream
        self._caller_rate = caller_rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        if scope["type"] != "http" or scope["path"] in self._public_paths:
            await self.app(scope, receive, send)
            return
        caller, demand = None, None
        try:
            token = bearer_token(scope, self._challenges)
            caller = await self._authenticate(token)
            if scope["path"] == self._mcp_path and scope["method"] != "POST":
                raise simple_refusal(405, "method_not_allowed", "Send POST", (b"allow", b"POST"))
            body = await read_body(scope, receive)
            demand = self._demand(scope, body)
            scope["state"].update(tool=demand.tool, body=body)
            if not caller.scopes.issuperset(demand.scopes):
                raise self._challenges.insufficient_scope(demand.scopes, caller.client_id)
            if self._caller_rate is not None and (seconds := self._caller_rate.wait(caller.subject)):
                raise self._challenges.too_many_requests(seconds)
        except Disconnected:
            return
        except Refusal as refusal:
            record(scope, Event.ACCESS_DENIED, refusal.reason, refusal.status, caller, demand)
            headers, content = refusal.render(scope["state"]["request_id"])
            await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
            return
        record(scope, _ALLOWED, "sufficient_scope", None, caller, demand)
        scope["state"]["caller"] = caller
        delegation = self._downstream.for_caller(token, caller) if self._downstream and demand.tool else None
        with permitted(Permit(caller, demand.tool, delegation)):
            await self.app(scope, replay(body, receive), send)

    async def _authenticate(self, token: str) -> Caller:
        try:
            return await self._validator.validate(token)
        except TokenRefused as refused:
            raise self._challenges.invalid_token(refused.reason, refused.description) from None
        except KeysUnavailable as unavailable:
            raise self._challenges.keys_unavailable(unavailable.retry_after) from None

    def _demand(self, scope: Scope, body: bytes) -> Demand:
        content_type = _content_type(scope)
        if content_type == FORM and carries_token(body):
            raise self._challenges.invalid_request(
                "several_credentials", "Send the token in the Authorization header only"
            )
        if (body or scope["path"] == self._mcp_path) and content_type != b"application/json":
            raise simple_refusal(415, "unsupported_media_type", "Send the body as Content-Type: application/json")
        if scope["path"] != self._mcp_path:
            return demand_of_path(self._tools, scope["path"])
        try:
            scope["headers"] = trimmed(scope["headers"])
            message = read_message(body, scope["headers"])
        except MessageRefused as refused:
            error = {"code": refused.code, "message": refused.message}
            raise Refusal(400, refused.reason, {"jsonrpc": "2.0", "id": refused.request_id, "error": error}) from None
        scope["state"]["message"] = message.content
        return demand_of_tool(self._tools, message.tool)


def _content_type(scope: Scope) -> bytes:
    values: list[bytes] = [value for name, value in scope["headers"] if name == b"content-type"]
    return values[0].partition(b";")[0].strip().lower() if len(values) == 1 else b""
