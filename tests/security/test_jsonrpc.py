"""What a JSON-RPC body asks for, and every way in which body and headers disagree (row 100)."""

from typing import Any

import pytest

from service.auth.jsonrpc import MessageRefused, read_message, trimmed

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS")

VERSION = "io.modelcontextprotocol/protocolVersion"
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}'
NO_MESSAGE = ("malformed_body", -32600, "The body is no JSON-RPC message", None)
VERSIONS_DIFFER = "The header MCP-Protocol-Version does not match the protocol version in _meta"
VERSIONS_ARE_NONE = ("header_mismatch", -32020, VERSIONS_DIFFER, "a")
METHODS_DIFFER = "The header Mcp-Method does not match the method"


def refusal(body: bytes, **headers: str) -> tuple[Any, ...] | None:
    """Return how a message is refused, or None."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    try:
        read_message(body, pairs)
    except MessageRefused as refused:
        return refused.reason, refused.code, refused.message, refused.request_id
    return None


def test_white_space_goes_from_the_ends_of_mcps_own_headers_only() -> None:
    """Space and tab are white space there, and nothing else (RFC 9110 section 5.6.3)."""
    found = trimmed([(b"mcp-name", b" \tX a\t "), (b"mcp-method", b"\x0ba\x0b"), (b"x-other", b" a ")])
    assert found == [(b"mcp-name", b"X a"), (b"mcp-method", b"\x0ba\x0b"), (b"x-other", b" a ")]


def with_version(version: str) -> bytes:
    return b'{"id":"a","method":"ping","params":{"_meta":{"%b":"%b"}}}' % (VERSION.encode(), version.encode())


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"{", {}, ("malformed_body", -32700, "The body is not JSON", None)),
        (b"\xff", {}, ("malformed_body", -32700, "The body is not UTF-8 text", None)),
        (b'{"a":1,"a":1}', {}, ("malformed_body", -32700, "The body has an object with one name twice", None)),
        (b"[]", {}, ("batch", -32600, "Batches are not supported; send one message in each request", None)),
        (b"5", {}, NO_MESSAGE),
        (b'"x"', {}, NO_MESSAGE),
        (b"null", {}, NO_MESSAGE),
        (b'{"method":5}', {}, ("malformed_body", -32600, "The method is no text", None)),
        (b'{"method":["tools/call"]}', {}, ("malformed_body", -32600, "The method is no text", None)),
        (CALL, {"mcp_method": "tools/list"}, ("header_mismatch", -32020, METHODS_DIFFER, 1)),
        (CALL, {"mcp_method": "TOOLS/CALL"}, ("header_mismatch", -32020, METHODS_DIFFER, 1)),
        (
            CALL,
            {"mcp_name": "calculate"},
            ("header_mismatch", -32020, "The header Mcp-Name does not match params.name", 1),
        ),
        (
            b'{"id":[1],"method":"resources/read","params":{"uri":"a"}}',
            {"mcp_name": "b"},
            ("header_mismatch", -32020, "The header Mcp-Name does not match params.uri", None),
        ),
        (b'{"id":true,"method":"a"}', {"mcp_method": "b"}, ("header_mismatch", -32020, METHODS_DIFFER, None)),
        (b'{"id":"x","method":"a"}', {"mcp_method": "b"}, ("header_mismatch", -32020, METHODS_DIFFER, "x")),
        (b'{"method":"a","params":[]}', {"mcp_method": "b"}, ("header_mismatch", -32020, METHODS_DIFFER, None)),
        (with_version("2026-07-28"), {}, ("header_mismatch", -32020, VERSIONS_DIFFER, "a")),
        (b'{"id":"a","params":{"_meta":{"%b":[]}}}' % VERSION.encode(), {}, VERSIONS_ARE_NONE),
        (b'{"id":"a","params":{"_meta":{"%b":{}}}}' % VERSION.encode(), {}, VERSIONS_ARE_NONE),
        (
            with_version("2026-07-28"),
            {"mcp_protocol_version": "2025-11-25"},
            ("header_mismatch", -32020, VERSIONS_DIFFER, "a"),
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(body: bytes, headers: dict[str, str], expected: tuple[Any, ...]) -> None:
    assert refusal(body, **headers) == expected


@pytest.mark.parametrize("name", ["mcp-method", "mcp-name", "mcp-protocol-version"])
def test_a_header_that_stands_twice_is_refused(name: str) -> None:
    pair = (name.encode(), b"x")
    with pytest.raises(MessageRefused) as caught:
        read_message(CALL, [pair, pair])
    assert caught.value.message == f"The header {name} appears more than once"


@pytest.mark.parametrize(
    ("body", "headers", "method", "tool"),
    [
        (CALL, {}, "tools/call", "echo"),
        (CALL, {"mcp_method": "tools/call", "mcp_name": "echo"}, "tools/call", "echo"),
        (CALL, {"mcp_protocol_version": "\xe9"}, "tools/call", "echo"),
        (b'{"method":"tools/call","params":{"name":5}}', {}, "tools/call", None),
        (b'{"method":"tools/call","params":{}}', {}, "tools/call", None),
        (b'{"method":"tools/call","params":"echo"}', {}, "tools/call", None),
        (b'{"method":"tools/list","params":{"name":"echo","uri":"echo"}}', {}, "tools/list", None),
        (b'{"method":"tools/list","params":{"":"echo"}}', {"mcp_name": "x"}, "tools/list", None),
        (b'{"method":"resources/read","params":{"uri":"a"}}', {"mcp_name": "a"}, "resources/read", None),
        (b'{"result":{}}', {}, None, None),
        (b'{"method":"","params":{"":"x"}}', {}, "", None),
        (b'{"method":"ping","params":[1]}', {}, "ping", None),
        (with_version("2026-07-28"), {"mcp_protocol_version": "2026-07-28"}, "ping", None),
        (with_version("2025-11-25"), {}, "ping", None),
        (b'{"method":"ping","params":{"_meta":5}}', {"mcp_protocol_version": "2026-07-28"}, "ping", None),
    ],
)
def test_what_a_message_asks_for(body: bytes, headers: dict[str, str], method: str | None, tool: str | None) -> None:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    message = read_message(body, pairs)
    assert (message.method, message.tool) == (method, tool)
