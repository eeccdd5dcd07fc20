"""Thirty and more kinds of calls through the edge: each allowed or refused for one reason, by one layer."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.security.draft import Draft, World

HANDSHAKE = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
JSON = {"Content-Type": "application/json"}
CANARY = "canary-argument-b7d1"
OTHER = "canary-second-92fe"


@dataclass(frozen=True)
class Call:
    """One call: what is sent, and what the audit trail must say about it."""

    reason: str
    status: int
    layer: str = "service"
    method: str = "POST"
    path: str = "/mcp"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def rpc(tool: str, arguments: dict[str, Any], method: str = "tools/call") -> bytes:
    """Return a JSON-RPC request."""
    params = {"name": tool, "arguments": arguments} if method == "tools/call" else {}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def changed(world: World, change: Callable[[Draft], object] = lambda _: None, **claims: Any) -> str:
    """Return a token of ES256 with claims changed; a claim of None is taken out."""
    draft = Draft("ES256", world)
    draft.claims = {name: value for name, value in (draft.claims | claims).items() if value is not None}
    change(draft)
    return draft.token()


def eager(world: World) -> str:
    """Return a token of the person who sends too much."""
    return changed(world, sub="eager")


ECHO = rpc("echo", {"text": CANARY})


def kinds(world: World) -> dict[str, Call]:
    """Return the calls by name; tokens are made for the issuer and the audience of this run."""
    now = int(time.time())
    good = changed(world)

    def mcp(token: str | None, body: bytes = ECHO, **headers: str) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        return {"headers": {**HANDSHAKE, **JSON, **bearer, **headers}, "body": body}

    def refused(reason: str, **claims: Any) -> Call:
        return Call(reason, 401, **mcp(changed(world, **claims)))

    def header(**members: Any) -> Callable[[Draft], object]:
        return lambda draft: draft.header.update(members)

    rest = {"headers": {**JSON, "Authorization": f"Bearer {good}"}, "body": json.dumps({"text": OTHER}).encode()}
    allowed = "sufficient_scope"
    write = changed(world, scope="mcp:read mcp:write")
    return {
        "a tool": Call(allowed, 200, **mcp(good)),
        "a tool with another scope": Call(allowed, 200, **mcp(write, rpc("calculate", {"expression": "40+271828182"}))),
        "the list of tools": Call(allowed, 200, **mcp(good, rpc("", {}, "tools/list"))),
        "a tool that does not exist": Call(allowed, 200, **mcp(good, rpc(CANARY, {"text": OTHER}))),
        "arguments that do not fit": Call(allowed, 200, **mcp(good, rpc("echo", {CANARY: OTHER}))),
        "REST": Call(allowed, 200, path="/api/v1/tools/echo", **rest),
        "REST, a tool that does not exist": Call(allowed, 404, path="/api/v1/tools/nothing", **rest),
        "no token": Call("no_credentials", 401, **mcp(None)),
        "a password": Call("other_scheme", 401, **mcp(None, Authorization="Basic Y2FuYXJ5OmNhbmFyeS1wYXNzd29yZA==")),
        "two tokens": Call("several_credentials", 400, path=f"/mcp?access_token={good}", **mcp(good)),
        "no token after Bearer": Call("malformed_credentials", 401, **mcp(f"{good}, {good}")),
        "a large token": Call("token_too_large", 401, **mcp(f"{good}{'A' * 8192}")),
        "no JWT": Call("malformed_token", 401, **mcp("opaque-token-that-is-no-jwt")),
        "another algorithm": Call("wrong_algorithm", 401, **mcp(changed(world, header(alg="HS256")))),
        "an unknown key": Call("unknown_key", 401, **mcp(changed(world, header(kid="somebody")))),
        "a forged signature": Call("bad_signature", 401, **mcp(f"{good[:-12]}AAAAAAAAAAAA")),
        "no subject": refused("malformed_claims", sub=None),
        "an ID token": refused("wrong_type", typ="ID"),
        "another issuer": refused("wrong_issuer", iss="https://other.example/realms/x"),
        "another audience": refused("wrong_audience", aud="account"),
        "expired": refused("expired", exp=now - 600, iat=now - 900),
        "not yet valid": refused("not_yet_valid", iat=now + 600, exp=now + 900),
        "a long life": refused("lifetime_too_long", exp=now + 86400),
        "bound to a key": refused("sender_constrained", cnf={"jkt": "x"}),
        "a client nobody declared": refused("client_not_allowed", sid=None, azp="stranger"),
        "an ended session": refused("revoked", sid="ended-session"),
        "a missing scope": Call("insufficient_scope", 403, **mcp(good, rpc("calculate", {"expression": CANARY}))),
        "too many of one caller": Call("caller_rate_limited", 429, **mcp(eager(world))),
        "GET": Call("method_not_allowed", 405, method="GET", **mcp(good, b"")),
        "no JSON": Call("unsupported_media_type", 415, **mcp(good, ECHO, **{"Content-Type": "text/plain"})),
        "a large body": Call("body_too_large", 413, **mcp(good, b" " * (1024 * 1024 + 1))),
        "two readings": Call("malformed_body", 400, **mcp(good, b'{"method": "a", "method": "b"}')),
        "a batch": Call("batch", 400, **mcp(good, b"[]")),
        "headers that contradict": Call("header_mismatch", 400, **mcp(good, ECHO, **{"Mcp-Method": "tools/list"})),
        "a foreign page": Call("foreign_origin", 403, **mcp(good, ECHO, Origin="https://evil.example")),
        "too large for the edge": Call("edge_body_too_large", 413, "edge", **mcp(good, b" " * (4 * 1024 * 1024 + 1))),
        "nothing there": Call("edge_not_found", 404, "edge", path="/nothing", **mcp(good)),
        "no HTTP": Call("edge_bad_request", 400, "edge", **mcp(good, ECHO, **{"X-Large": "x" * 20_000})),
        "too many": Call("rate_limited", 429, "edge", path=f"/api/v1/tools/echo?access_token={good}", **rest),
        "no keys": Call("keys_unavailable", 503, **mcp(changed(world, header(kid="rotated-in-an-outage")))),
        "no service": Call("upstream_unavailable", 502, "edge", **mcp(good)),
    }
