"""The envelope of a `tools/call` in both protocol eras: when it is the usual one, and its answer.

Usual is what clients send, exactly: any other member, header or type is left to the protocol's library to judge.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pydantic_core
from mcp_types import SERVER_INFO_META_KEY
from mcp_types import methods as protocol
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from service.auth.jsonrpc import Headers
from service.direct.tool import Result

MODERN: Final = "2026-07-28"
_UNNAMED: Final = "2025-03-26"  # what a request without a version header speaks (Streamable HTTP, 2025-11-25)
_VERSIONS: Final = {version.encode(): version for version in (*HANDSHAKE_PROTOCOL_VERSIONS, MODERN)}
_ACCEPTED: Final = frozenset(
    {b"application/json, text/event-stream", b"text/event-stream, application/json", b"application/json", b"*/*"}
)
_MEMBERS: Final = {"jsonrpc", "id", "method", "params"}
_PARAMS: Final = {"name", "arguments", "_meta"}
_LARGEST_ID: Final = 2**53
_VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
_LEGACY_META: Final = frozenset({"progressToken"})
_encode: Final = json.JSONEncoder(
    ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False
).encode


@dataclass(frozen=True, slots=True)
class Call:
    """A usual call: the id to answer, the protocol's version, and the arguments."""

    id: str | int
    version: str
    arguments: dict[str, Any]


def usual_call(message: Mapping[str, Any], tool: str, headers: Headers) -> Call | None:
    """Return the call when it is the usual one, else None.

    Args:
        message: the body, which the guard has read as a `tools/call` of this tool.
        tool: its name.
        headers: the HTTP headers; the guard has refused repeated and contradicting ones of MCP.
    """
    version = _version(tool, headers)
    request_id, params = message.get("id"), message.get("params")
    if version is None or message.keys() != _MEMBERS or message["jsonrpc"] != "2.0" or not isinstance(params, dict):
        return None
    if type(request_id) is int:
        if abs(request_id) > _LARGEST_ID:
            return None
    elif type(request_id) is not str:
        return None
    arguments, meta = params.get("arguments"), params.get("_meta")
    if not isinstance(arguments, dict) or not params.keys() <= _PARAMS:
        return None
    if not _usual_meta(meta if "_meta" in params else {}, version, params):
        return None
    return Call(request_id, version, arguments)


def _usual_meta(meta: object, version: str, params: Mapping[str, Any]) -> bool:
    if not isinstance(meta, dict) or type(meta.get("progressToken", "")) not in (int, str):
        return False
    if version != MODERN:
        return meta.keys() <= _LEGACY_META
    if meta.get(_VERSION_KEY) != MODERN or meta.get(_CAPABILITIES_KEY) is None:
        return False
    try:
        protocol.validate_client_request("tools/call", version, params)
    except ValidationError:
        return False
    return True


def _version(tool: str, headers: Headers) -> str | None:
    """Return the protocol's version, when all headers that matter have their usual values."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name == b"accept" or name.startswith(b"mcp-"):
            if name in found:
                return None
            found[name] = value
    if found.pop(b"accept", b"") not in _ACCEPTED:
        return None
    given = found.pop(b"mcp-protocol-version", None)
    version = _UNNAMED if given is None else _VERSIONS.get(given)
    if version == MODERN:
        usual = {b"mcp-method": b"tools/call", b"mcp-name": tool.encode()}
        return version if found == usual else None
    found.pop(b"mcp-method", None)  # the guard has compared them with the body
    found.pop(b"mcp-name", None)
    return None if found else version


def answer(call: Call, result: Result, wrapped: bool, server: Mapping[str, str]) -> bytes:
    """Return the body of the answer as the protocol's library would write it.

    Args:
        call: what was asked.
        result: what the tool returned.
        wrapped: whether the result stands under `result`, which FastMCP tells its clients.
        server: name and version of the server, which answers of the 2026-07-28 protocol carry.

    Raises:
        ValueError: the result has no form in JSON.
    """
    structured = {"result": result.value} if wrapped else result.value
    meta: dict[str, Any] = {"fastmcp": {"wrap_result": True}} if wrapped else {}
    body: dict[str, Any] = {"_meta": meta} if meta else {}
    body |= {"content": [{"text": result.text, "type": "text"}], "isError": False}
    if call.version != MODERN:
        body["structuredContent"] = structured
        return pydantic_core.to_json({"jsonrpc": "2.0", "id": call.id, "result": body}, inf_nan_mode="null")
    body |= {"resultType": "complete", "structuredContent": structured}
    body["_meta"] = {**meta, SERVER_INFO_META_KEY: server}
    return _encode({"jsonrpc": "2.0", "id": call.id, "result": body}).encode("ascii")
