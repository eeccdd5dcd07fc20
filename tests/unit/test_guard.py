"""The guard: who passes, who does not, with which answer, and what stands in the log."""

import json
from typing import Any

import httpx
import pytest

from service.context import current_caller
from service.telemetry.outlet import flush_all
from tests.unit import jose
from tests.unit.tokens import (
    MCP_HEADERS,
    METADATA_URL,
    StaticKeySource,
    bearer,
    call,
    make_token,
    rpc,
    send,
    with_client,
)

NO_CREDENTIALS = f'Bearer resource_metadata="{METADATA_URL}", scope="mcp:read"'


def post(body: Any = None, *, raw: bytes | None = None, headers: Any = None, **request: Any) -> httpx.Response:
    content = raw if raw is not None else json.dumps(body if body is not None else rpc("ping")).encode()
    base = {**MCP_HEADERS, "Content-Type": "application/json"}
    merged = [*base.items(), *(headers if isinstance(headers, list) else (headers or bearer()).items())]
    return send("POST", "/mcp", content=content, headers=merged, **request)


def assert_refused(answer: httpx.Response, status: int, error: str, challenge: str | None) -> None:
    assert answer.status_code == status
    assert answer.headers.get("www-authenticate") == challenge
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description", "request_id"}
    assert answer.json()["error"] == error
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def invalid_token(description: str) -> str:
    return (
        f'Bearer error="invalid_token", error_description="{description}", '
        f'resource_metadata="{METADATA_URL}", scope="mcp:read"'
    )


@pytest.mark.parametrize(
    "path",
    [
        "/mcp",
        "/api/v1/tools",
        "/api/v1/tools/echo",
        "/console",
        "/console/",
        "/nothing",
        "/mcp/",
        "/MCP",
        "/mcp;x",
        "/livez/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "TRACE", "OPTIONS"])
def test_without_a_token_everything_is_refused(method: str, path: str) -> None:
    assert_refused(send(method, path), 401, "unauthorized", NO_CREDENTIALS)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/version", "/", "/docs", "/openapi.json"])
def test_public_paths_need_no_token(path: str) -> None:
    assert send("GET", path).status_code == 200


@pytest.mark.parametrize("value", ["Basic dTpw", "DPoP abc", "Bearerabc", "", "Digest x"])
def test_another_scheme_counts_as_no_credentials(value: str) -> None:
    assert_refused(post(headers={"Authorization": value}), 401, "unauthorized", NO_CREDENTIALS)


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer  x", "Bearer\tx", "Bearer a b", "Bearer good, Bearer x", "Bearer ü", "Bearer \x00", "bearer ="],
)
def test_a_malformed_header_is_refused(value: str) -> None:
    answer = post(headers=[("Authorization", value.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] in {
        invalid_token("The Authorization header is malformed"),
        NO_CREDENTIALS,
    }


def test_the_scheme_has_no_case() -> None:
    assert post(headers={"Authorization": f"bEARER {make_token()}"}).status_code == 200


@pytest.mark.parametrize("first", [0, 1])
def test_two_headers_are_refused(first: int) -> None:
    values = [("Authorization", f"Bearer {make_token()}"), ("authorization", "Basic dTpw")]
    answer = post(headers=[values[first], values[1 - first]])
    expected = (
        'Bearer error="invalid_request", error_description="Send exactly one Authorization header", '
        f'resource_metadata="{METADATA_URL}"'
    )
    assert_refused(answer, 400, "invalid_request", expected)


def test_a_token_in_the_query_is_never_read() -> None:
    answer = send("POST", f"/mcp?access_token={make_token()}", json=rpc("ping"), headers=MCP_HEADERS)
    assert_refused(answer, 401, "unauthorized", NO_CREDENTIALS)


@pytest.mark.parametrize("query", ["access_token=x", "a=b&access_token=", "access%5Ftoken=x", "a=1&" * 2000 + "%41=1"])
def test_two_ways_at_once_are_refused(query: str) -> None:
    answer = send("POST", f"/mcp?{query}", json=rpc("ping"), headers={**MCP_HEADERS, **bearer()})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_token_in_a_form_beside_the_header_is_refused() -> None:
    for path in ("/mcp", "/api/v1/tools/echo"):
        answer = send("POST", path, data={"access_token": make_token()}, headers=bearer())
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"aud": "account"}, "The access token was not issued for this resource"),
        ({"iss": "http://evil.example"}, "The access token was issued by another authorization server"),
        ({"typ": "ID"}, "This is not an access token"),
        ({"exp": 1, "iat": 0}, "The access token has expired"),
    ],
)
def test_a_bad_token_is_refused_with_fixed_words(changes: dict[str, Any], description: str) -> None:
    assert_refused(post(headers=bearer(**changes)), 401, "invalid_token", invalid_token(description))


def test_a_missing_scope_is_403_and_names_all_that_the_call_needs() -> None:
    expected = (
        'Bearer error="insufficient_scope", error_description="This call needs the scope mcp:write", '
        f'resource_metadata="{METADATA_URL}", scope="mcp:write"'
    )
    assert_refused(call("calculate", {"expression": "1"}, scope="mcp:read"), 403, "insufficient_scope", expected)


@pytest.mark.requirement("MCP-A5")
def test_a_client_that_nobody_declared_is_told_how_to_get_the_scope() -> None:
    answer = call("calculate", {"expression": "1"}, scope="mcp:read", azp="6f1f0d2e-registered-by-itself")
    assert answer.status_code == 403
    assert "register it again without naming any" in answer.json()["error_description"]
    assert "invalid_scope" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("method", ["initialize", "ping", "tools/list", "server/discover", "prompts/get", "nothing"])
def test_every_method_needs_the_first_scope(method: str) -> None:
    for scope in ("", "openid profile", "mcp:reader", "MCP:READ"):
        answer = post(rpc(method), headers=bearer(scope=scope))
        assert answer.status_code == 403
        assert answer.headers["www-authenticate"].endswith('scope="mcp:read"')


def test_a_broader_scope_is_enough() -> None:
    assert call("echo", {"text": "x"}, scope="mcp:write").json()["result"]["structuredContent"] == {"result": "x"}
    assert call("calculate", {"expression": "1"}, scope="mcp:infer").status_code == 403


def test_without_keys_nothing_is_judged() -> None:
    answer = post(keys=StaticKeySource(retry_after=7))
    assert_refused(answer, 503, "temporarily_unavailable", None)
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "PATCH"])
def test_only_post_is_allowed_on_the_mcp_endpoint(method: str) -> None:
    answer = send(method, "/mcp", headers={**bearer(), "Accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff", -32700),
        (b'\xef\xbb\xbf{"method":"ping"}', -32700),
        (json.dumps(rpc("ping")).encode("utf-16"), -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","n\\u0061me":"calculate"}}', -32700),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\ud800"}}', -32700),
        (b'{"a":' * 100 + b"1" + b"}" * 100, -32700),
        (b"[" * 100_000, -32700),
        (b'{"id":' + b"9" * 5000 + b"}", -32700),
        (b"[]", -32600),
        (json.dumps([rpc("ping")]).encode(), -32600),
        (b'"x"', -32600),
        (b"null", -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":["tools/call"]}', -32600),
    ],
)
def test_a_body_that_cannot_be_judged_is_refused(raw: bytes, code: int) -> None:
    answer = post(raw=raw)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["id"] is None


def test_brackets_in_a_string_are_not_depth() -> None:
    text = '[{"\\' * 200
    assert call("echo", {"text": text}).json()["result"]["structuredContent"] == {"result": text}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_media_type_is_refused(content_type: str) -> None:
    for path in ("/mcp", "/api/v1/tools/echo"):
        answer = send("POST", path, content=b"{}", headers={**bearer(), "Content-Type": content_type})
        assert_refused(answer, 415, "unsupported_media_type", None)


def test_a_large_body_is_refused_by_its_length_and_by_counting() -> None:
    async def stream() -> Any:
        for _ in range(20):
            yield b" " * 65536 * 2

    headers = {**bearer(), "Content-Type": "application/json"}
    assert_refused(send("POST", "/mcp", content=b" " * 1_048_577, headers=headers), 413, "body_too_large", None)
    assert_refused(send("POST", "/mcp", content=stream(), headers=headers), 413, "body_too_large", None)
    assert send("POST", "/mcp", content=b" " * 1_048_576, headers=headers).status_code == 400


MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
CALL = rpc("tools/call", {"name": "echo", "arguments": {"text": "x"}, "_meta": META})
LEGACY_CALL = rpc("tools/call", {"name": "echo", "arguments": {"text": "x"}})


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (CALL, {"MCP-Protocol-Version": "2025-11-25"}),
        (CALL, {}),
        (CALL, {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list", "Mcp-Name": "echo"}),
        (CALL, {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "calculate"}),
        (CALL, {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call"}),
        (CALL, {"MCP-Protocol-Version": MODERN, "Mcp-Name": "echo"}),
        (LEGACY_CALL, {"MCP-Protocol-Version": "2025-11-25", "Mcp-Name": "calculate"}),
        (LEGACY_CALL, {"MCP-Protocol-Version": "2025-11-25", "Mcp-Method": "tools/list"}),
    ],
)
def test_headers_that_contradict_the_body_are_refused(body: dict[str, Any], headers: dict[str, str]) -> None:
    answer = send("POST", "/mcp", json=body, headers={"Accept": "application/json", **headers, **bearer()})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32020
    assert answer.json()["id"] == 1


@pytest.mark.parametrize(
    ("meta", "headers"),
    [
        (META, {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "echo"}),
        (META, {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "=?base64?ZWNobw==?="}),
        (META, {"MCP-Protocol-Version": MODERN, "Mcp-Method": " tools/call ", "Mcp-Name": " echo \t"}),
        ({"io.modelcontextprotocol/clientInfo": {"name": "x"}}, {"MCP-Protocol-Version": "2025-11-25"}),
        ({"io.modelcontextprotocol/protocolVersion": "2025-11-25"}, {"MCP-Protocol-Version": "2025-11-25"}),
        ({"io.modelcontextprotocol/protocolVersion": "2025-11-25"}, {}),
        ({"openai/userAgent": "x"}, {}),
    ],
)
def test_reserved_meta_keys_alone_are_no_contradiction(meta: dict[str, Any], headers: dict[str, str]) -> None:
    body = rpc("tools/call", {"name": "echo", "arguments": {"text": "x"}, "_meta": meta})
    answer = send("POST", "/mcp", json=body, headers={"Accept": "application/json", **headers, **bearer()})
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["structuredContent"] == {"result": "x"}


def test_a_tool_that_the_guard_has_not_judged_does_not_run() -> None:
    answer = call("no_such_tool", {})
    assert answer.json()["result"]["isError"]
    for name in (None, 7, ["calculate"], {"name": "calculate"}):
        body = rpc("tools/call", {"name": name, "arguments": {"expression": "6*7"}})
        answer = send("POST", "/mcp", json=body, headers={**MCP_HEADERS, **bearer(scope="mcp:read")})
        assert answer.status_code < 500
        assert "42" not in answer.text


def test_web_sockets_are_closed() -> None:
    from service.app import create_app
    from tests.unit.tokens import make_keys, make_settings

    sent: list[dict[str, Any]] = []

    async def main() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def transmit(message: Any) -> None:
            sent.append(message)

        app = create_app(make_settings(), make_keys())
        await app({"type": "websocket", "path": "/mcp", "headers": []}, receive, transmit)  # type: ignore[arg-type]

    import asyncio

    asyncio.run(main())
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def lines(capsys: pytest.CaptureFixture[str], prefix: str = "access_") -> list[dict[str, Any]]:
    assert flush_all()
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [entry for entry in entries if entry["event"].startswith(prefix)]


def test_one_line_for_each_decision_without_token_and_argument(capsys: pytest.CaptureFixture[str]) -> None:
    token = make_token()
    argument = "an argument of the caller"
    headers = {**MCP_HEADERS, "Authorization": f"Bearer {token}"}
    forged = f"Bearer {token[:-8]}AAAAAAAA"

    async def use(client: httpx.AsyncClient) -> None:
        for arguments in ({"text": argument}, {argument: argument}, {"text": [argument]}):
            body = rpc("tools/call", {"name": "echo", "arguments": arguments})
            await client.post(f"/mcp?{argument}", json=body, headers=headers)
        await client.post("/api/v1/tools/echo", json={"text": [argument]}, headers=headers)
        await client.post("/mcp", json=rpc(argument), headers=headers)
        await client.post("/mcp", json=rpc("tools/call", {"name": argument}), headers=headers)
        await client.post("/mcp", json=rpc("ping"), headers={**headers, "Authorization": forged})
        await client.post("/mcp", json=rpc("ping"))

    with_client(use)
    assert flush_all()
    out = capsys.readouterr().out
    assert token.split(".")[1] not in out
    assert argument not in out
    decisions = [entry for line in out.splitlines() if (entry := json.loads(line))["event"].startswith("access_")]
    assert [entry["event"] for entry in decisions] == ["access_allowed"] * 6 + ["access_denied"] * 2
    first = {key: value for key, value in decisions[0].items() if key not in {"time", "request_id", "trace_id"}}
    assert first == {
        "level": "info",
        "event": "access_allowed",
        "layer": "service",
        "entrance": "mcp",
        "method": "POST",
        "client_address": "127.0.0.1",
        "reason": "sufficient_scope",
        "sub": jose.claims()["sub"],
        "client": "mcp-automation",
        "session": jose.claims()["sid"],
        "tool": "echo",
        "scopes_asked": ["mcp:read"],
        "scopes_held": ["mcp:read", "mcp:write"],
    }
    assert [entry["reason"] for entry in decisions[-2:]] == ["bad_signature", "no_credentials"]


def test_a_denial_says_who_what_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    call("calculate", {"expression": "1"}, scope="mcp:read")
    (entry,) = lines(capsys)
    assert (entry["event"], entry["reason"], entry["status"]) == ("access_denied", "insufficient_scope", 403)
    assert (entry["tool"], entry["scopes_asked"], entry["scopes_held"]) == ("calculate", ["mcp:write"], ["mcp:read"])


def test_outside_a_request_there_is_no_caller() -> None:
    with pytest.raises(LookupError, match="outside a request"):
        current_caller()
