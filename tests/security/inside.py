"""The guard in this process, asked as an ASGI server would ask it."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.auth.challenge import Challenges
from service.auth.guard import Guard
from service.auth.token import Caller, TokenValidator
from service.telemetry.audit import configure_audit, sinks
from service.telemetry.correlation import Correlation
from service.tools.registry import discover
from tests.security.judge import WORLD, contract
from tests.security.wire import Answer


def guarded(judge: TokenValidator) -> ASGIApp:
    """Return the guard before an application that says hello to its caller."""

    async def reached(scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["state"]["caller"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-caller", caller.subject.encode())]})
        await send({"type": "http.response.body", "body": b"hello"})

    metadata = f"{WORLD.origin}/.well-known/oauth-protected-resource/mcp"
    challenges = Challenges(metadata, ("mcp:read",), contract().clients)
    tools = discover(contract())
    guard = Guard(
        reached, validator=judge, tools=tools, challenges=challenges, mcp_path="/mcp", public_paths=("/livez",)
    )
    return Correlation(guard)


WITHIN_S = 10


class _Kept:
    """A sink of the audit trail that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def put(self, later: tuple[Any, ...]) -> None:
        self.lines.append(json.loads(later[0](later)))


@contextmanager
def decisions() -> Iterator[list[dict[str, Any]]]:
    """Collect the audit trail of the block, in place of writing it."""
    before, kept = sinks(), _Kept()
    configure_audit([kept])  # type: ignore[list-item]
    try:
        yield kept.lines
    finally:
        configure_audit(before)


def ask(
    app: ASGIApp,
    headers: Sequence[tuple[bytes, bytes]],
    *,
    path: str = "/api/v1/tools/echo",
    query: bytes = b"",
    body: bytes = b"{}",
    content_type: bytes = b"application/json",
) -> Answer:
    """Send one POST and return the answer."""
    sent: list[Message] = []
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"content-type", content_type), *headers],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), WITHIN_S))  # type: ignore[arg-type]
    start, content = sent
    answered = tuple((name.decode(), value.decode()) for name, value in start["headers"])
    return Answer(start["status"], answered, content["body"])
