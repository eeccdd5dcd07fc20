"""Which method and which tool a POST to the MCP endpoint asks for (JSON-RPC 2.0; MCP Streamable HTTP)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mcp.shared.inbound import decode_header_value

from service.auth import strict_json

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
HEADER_MISMATCH: Final = -32020

# Revisions without the per-request envelope; a request without a version header is one of them.
HANDSHAKE_VERSIONS: Final = frozenset({"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"})

_VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
_VERSION_HEADER: Final = b"mcp-protocol-version"
_METHOD_HEADER: Final = b"mcp-method"
_NAME_HEADER: Final = b"mcp-name"
_NAMED_BY: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """A JSON-RPC message, as far as a decision needs it. `tool` is set for tools/call only, `content` is all of it."""

    method: str | None
    tool: str | None
    content: dict[str, Any]


class MessageRefused(Exception):
    """The body is no message that can be judged: HTTP 400 with a JSON-RPC error.

    Args:
        reason: a word for the log.
        code: JSON-RPC error code.
        message: what is wrong; safe to show.
        request_id: the id of the request, where it could be read.
    """

    def __init__(self, reason: str, code: int, message: str, request_id: str | int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.code = code
        self.message = message
        self.request_id = request_id


def trimmed(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Take white space off the ends of MCP's own headers, where it is no part of the value (RFC 9110 section 5.5).

    Not every HTTP parser does so at the end, and the protocol's library compares what it finds.
    """
    return [(name, value.strip(b" \t") if name.startswith(b"mcp-") else value) for name, value in headers]


def read_message(body: bytes, headers: Headers) -> Message:
    """Return what a body asks for, once its headers have been found to say the same.

    Args:
        body: the HTTP body.
        headers: the HTTP headers, names in lower case.

    Raises:
        MessageRefused: the body cannot be judged, is a batch, or its headers say something else.
    """
    try:
        message = strict_json.parse(body)
    except strict_json.JsonFault as fault:
        raise MessageRefused("malformed_body", PARSE_ERROR, str(fault)) from None
    if isinstance(message, list):
        text = "Batches are not supported; send one message in each request"
        raise MessageRefused("batch", INVALID_REQUEST, text)
    if not isinstance(message, dict):
        raise MessageRefused("malformed_body", INVALID_REQUEST, "The body is no JSON-RPC message")
    method = message.get("method")
    if method is not None and not isinstance(method, str):
        raise MessageRefused("malformed_body", INVALID_REQUEST, "The method is no text")
    params = message.get("params")
    named = params.get(_NAMED_BY.get(method or "", "")) if isinstance(params, dict) else None
    if conflict := _conflict(message, method, named, headers):
        request_id = message.get("id")
        shown = request_id if isinstance(request_id, str | int) and not isinstance(request_id, bool) else None
        raise MessageRefused("header_mismatch", HEADER_MISMATCH, conflict, shown)
    return Message(method, named if method == "tools/call" and isinstance(named, str) else None, message)


def _conflict(message: dict[str, Any], method: str | None, named: object, headers: Headers) -> str | None:
    """Streamable HTTP, Server Validation: say which header and body disagree.

    Refused is only what really disagrees: an older client may send reserved `_meta` keys.
    """
    values: dict[bytes, str] = {}
    for name, value in headers:
        if name in {_VERSION_HEADER, _METHOD_HEADER, _NAME_HEADER}:
            if name in values:
                return f"The header {name.decode()} appears more than once"
            values[name] = value.decode("latin-1")
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    body_version = meta.get(_VERSION_KEY) if isinstance(meta, dict) else None
    version = values.get(_VERSION_HEADER)
    differ = body_version is not None and body_version != version
    if differ and (version or str(body_version) not in HANDSHAKE_VERSIONS):
        return "The header MCP-Protocol-Version does not match the protocol version in _meta"
    if _METHOD_HEADER in values and values[_METHOD_HEADER] != method:
        return "The header Mcp-Method does not match the method"
    if _NAME_HEADER in values and method in _NAMED_BY and decode_header_value(values[_NAME_HEADER]) != named:
        return f"The header Mcp-Name does not match params.{_NAMED_BY[method]}"
    return None
