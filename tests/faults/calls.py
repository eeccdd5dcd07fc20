"""One call of a load: the bytes that are sent, what the answer must hold, and what came of it."""

import json
import secrets
from typing import TYPE_CHECKING, NamedTuple

from tests.support.http import bearer, message

if TYPE_CHECKING:
    from tests.faults.load import Target

RUN = secrets.token_hex(4)


class Call(NamedTuple):
    """`due` is monotonic time; `seconds` count from there. `outcome` is the status or a word:

    `wrong` is a 200 with another call's answer, `ended` a kept connection that ended before the first byte of an
    answer, anything else the name of an error.
    """

    due: float
    seconds: float
    request_id: str
    outcome: str


def echo(number: int, token: str, target: "Target") -> tuple[str, bytes, bytes]:
    """Return the id, the bytes of a call of the tool `echo`, and what its answer must hold."""
    request_id = f"{RUN}-{number}"
    headers = bearer(token) | {"Host": f"{target.host}:{target.port}", "X-Request-ID": request_id}
    if number % 2:
        path, body = "/api/v1/tools/echo", {"text": request_id}
    else:
        path = "/mcp"
        body, own = message("tools/call", {"name": "echo", "arguments": {"text": request_id}})
        headers |= own
    content = json.dumps(body).encode()
    headers |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return request_id, "\r\n".join(lines).encode() + content, request_id.encode()
