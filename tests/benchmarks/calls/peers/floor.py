"""The floor: no framework, no token, no check."""

import json
from typing import Any

from starlette.types import Receive, Scope, Send


async def _floor(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = json.dumps({"result": json.loads(body)["text"]}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def floor() -> Any:
    """The floor: an ASGI function that parses the body and echoes a member of it. No token, no check."""
    return _floor
