"""Reads a request body once, within a limit, and plays it back to the code behind."""

import asyncio
from typing import Final

from starlette.types import Message, Receive, Scope

from service.auth.challenge import Refusal, simple_refusal

MAX_BODY_BYTES: Final = 1024 * 1024
BODY_SECONDS: Final = 15.0
BODY_IS_THERE: Final = "secure_mcp.body_is_there"
"""In the ASGI scope, set by the server (draining.py), once the whole body has come: to watch the clock costs a lot."""


class Disconnected(Exception):
    """The client went away before its request was complete: there is nobody to answer."""


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Return the body.

    Args:
        scope: the ASGI scope.
        receive: the ASGI receive callable.

    Raises:
        Refusal: 413, the body is larger than 1 MiB; 408, it takes longer than 15 s (RFC 9110 section 15.5.9).
        Disconnected: the client went away.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or len(value) > 9 or int(value) > MAX_BODY_BYTES):
            raise _too_large()
    if BODY_IS_THERE in scope:
        return await _collect(receive)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _collect(receive)
    except TimeoutError:
        description = f"Send the whole body within {BODY_SECONDS:.0f} seconds"
        raise simple_refusal(408, "body_too_slow", description, (b"connection", b"close")) from None


def _too_large() -> Refusal:
    return simple_refusal(413, "body_too_large", f"Send at most {MAX_BODY_BYTES} bytes")


async def _collect(receive: Receive) -> bytes:
    chunks = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunks += message.get("body", b"")
        if len(chunks) > MAX_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(chunks)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive callable that first gives the whole body, then what comes after it.

    Args:
        body: what `read_body` returned.
        receive: the ASGI receive callable.
    """
    played = False

    async def receive_again() -> Message:
        nonlocal played
        if played:
            return await receive()
        played = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
