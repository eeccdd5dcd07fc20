"""The short way of a call answers as the ordinary way does, byte for byte, and leaves to it what it must."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastmcp import Context, FastMCP
from fastmcp.server.dependencies import CurrentContext
from fastmcp.server.middleware import Middleware
from fastmcp.tools import FunctionTool, ToolResult
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel

import service.app
from service.direct import layer
from service.direct.attempt import attempting, once
from service.tools.registry import Tool, ToolFailure, ToolRegistry
from tests.unit.tokens import ORIGIN, bearer, make_keys, make_settings, running

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
runs: list[str] = []


class Point(BaseModel):
    x: int
    label: str | None = None


async def echo(text: str) -> str:
    """Return the text."""
    runs.append("echo")
    return text


async def point(x: int, label: str | None = None) -> Point:
    """Return a point."""
    runs.append("point")
    return Point(x=x, label=label)


async def number(value: float) -> float:
    """Return a number, or none that JSON has."""
    runs.append("number")
    return value / 3 if value else float("nan")


async def tree() -> dict[str, Any]:
    """Return something nested."""
    runs.append("tree")
    return {"a": [1, None, {"ü": True}], "b": None}


async def nothing() -> None:
    """Return nothing."""
    runs.append("nothing")


async def words() -> list[str]:
    """Return a list."""
    runs.append("words")
    return ["a", "b"]


async def no_words() -> list[str]:
    """Return an empty list."""
    runs.append("no_words")
    return []


async def surrogate() -> str:
    """Return what is no Unicode text."""
    runs.append("surrogate")
    return "\ud800"


async def own_result() -> ToolResult:
    """Return FastMCP's own form."""
    runs.append("own_result")
    return ToolResult(content="shown", structured_content={"a": 1}, meta={"m": 1})


async def sdk_result() -> dict[str, Any]:
    """Return the SDK's own form, whatever is declared."""
    runs.append("sdk_result")
    return CallToolResult(content=[TextContent(type="text", text="shown")], structured_content={"a": 1})  # type: ignore[return-value]


async def fail(how: str) -> str:
    """Raise."""
    runs.append("fail")
    raise {"told": ToolFailure("Change this"), "fault": RuntimeError("a detail from inside")}[how]


async def with_context(ctx: Context) -> str:
    """Use FastMCP's context."""
    runs.append("with_context")
    return str(ctx.request_id)


async def with_default(ctx: Context = CurrentContext()) -> str:  # noqa: B008 - FastMCP's way
    """Use FastMCP's context as a dependency."""
    runs.append("with_default")
    return str(ctx.request_id)


_PLAIN = (echo, point, number, tree, nothing, words, no_words, surrogate)
FUNCTIONS = (*_PLAIN, own_result, sdk_result, fail, with_context, with_default)


def registry(contract: Any) -> ToolRegistry:
    def entry(function: Any, scope: str = "mcp:read") -> Tool:
        return Tool(function.__name__, "T", function.__doc__ or "", (scope,), function)

    return ToolRegistry([*map(entry, FUNCTIONS), Tool("locked", "T", "T.", ("mcp:write",), echo)], contract)


@pytest.fixture(scope="module")
def apps() -> dict[str, Any]:
    """The service with and without the short way."""
    patch = pytest.MonkeyPatch()
    patch.setattr(service.app, "discover", registry)
    made = {"direct": service.app.create_app(make_settings(), make_keys())}
    patch.setattr(service.app, "direct_tools", lambda *_: {})
    made["ordinary"] = service.app.create_app(make_settings(), make_keys())
    patch.undo()
    return made


def ask(app: Any, requests: list[dict[str, Any]]) -> list[tuple[httpx.Response, list[str]]]:
    """Send requests and return the answers, and which tools ran for each."""

    async def main() -> list[tuple[httpx.Response, list[str]]]:
        answers = []
        async with running(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
            for request in requests:
                runs.clear()
                answers.append((await client.request("POST", **request), list(runs)))
        return answers

    return asyncio.run(main())


def rpc(params: Any, **members: Any) -> str:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params, **members}
    return json.dumps({name: value for name, value in message.items() if value != "absent"})


def mcp(content: str | bytes, version: str | None = "2025-11-25", **headers: str) -> dict[str, Any]:
    own = {**JSON, **({"MCP-Protocol-Version": version} if version else {}), **bearer(scope="mcp:read")}
    own |= {name.replace("_", "-"): value for name, value in headers.items()}
    return {"url": "/mcp", "content": content, "headers": own}


def modern(params: dict[str, Any], meta: Any = META, **headers: str) -> dict[str, Any]:
    named = {"Mcp_Method": "tools/call", "Mcp_Name": str(params.get("name")), **headers}
    sent = {name: value for name, value in named.items() if value != "absent"}
    return mcp(rpc({**params, "_meta": meta}), MODERN, **sent)


def rest(name: str, content: str, scope: str = "mcp:read", query: str = "", **headers: str) -> dict[str, Any]:
    own = {"Content-Type": "application/json", **bearer(scope=scope), **headers}
    return {"url": f"/api/v1/tools/{name}{query}", "content": content, "headers": own}


ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("echo", {"text": "grüß\u2028 \U0001f600 \x00 \u007f </script>"}),
    ("echo", {"text": ""}),
    ("point", {"x": 1}),
    ("point", {"x": "7", "label": "ü"}),
    ("number", {"value": 1}),
    ("number", {"value": 1e300}),
    ("number", {"value": 0}),
    ("tree", {}),
    ("nothing", {}),
    ("words", {}),
    ("no_words", {}),
    ("surrogate", {}),
    ("own_result", {}),
    ("sdk_result", {}),
    ("fail", {"how": "told"}),
    ("fail", {"how": "fault"}),
    ("fail", {"how": "other"}),
    ("with_context", {}),
    ("with_default", {}),
    ("echo", {}),
    ("echo", {"text": 5}),
    ("echo", {"text": "a", "more": 1}),
    ("locked", {"text": "a"}),
    ("unknown", {"text": "a"}),
]
E_ = {"name": "echo", "arguments": {"text": "a"}}
REQUESTS: dict[str, dict[str, Any]] = {
    **{f"2025 {name} {args}": mcp(rpc({"name": name, "arguments": args})) for name, args in ARGUMENTS},
    **{f"2026 {name} {args}": modern({"name": name, "arguments": args}) for name, args in ARGUMENTS},
    **{f"rest {name} {args}": rest(name, json.dumps(args)) for name, args in ARGUMENTS},
    **{f"version {version}": mcp(rpc(E_), version) for version in (*VERSIONS, None, "1999-01-01", MODERN, "")},
    **{
        f"id {request_id!r}": mcp(rpc(E_, id=request_id))
        for request_id in (0, -1, 2**53 + 1, 10**30, 1.0, 1.5, True, None, "absent", "", "ü\u2028", [1])
    },
    **{f"2026 id {request_id!r}": {**modern(E_), "content": rpc({**E_, "_meta": META}, id=request_id)}
       for request_id in (0, 10**30, 1.5, True, None, "absent", "ü")},
    **{f"jsonrpc {value!r}": mcp(rpc(E_, jsonrpc=value)) for value in ("1.0", 2, "absent")},
    "another member": mcp(rpc(E_, more=1)),
    **{
        f"params {params}": mcp(rpc(params))
        for params in ([], None, {"name": "echo"}, {**E_, "arguments": None}, {**E_, "arguments": []},
                       {**E_, "more": 1}, {**E_, "task": {"ttl": 1}}, {**E_, "requestState": "x"})
    },
    **{
        f"meta {meta}": mcp(rpc({**E_, "_meta": meta}))
        for meta in (None, {}, [], {"progressToken": "a"}, {"progressToken": 1}, {"progressToken": 1.5},
                     {"progressToken": None}, {"progressToken": []}, {"x/y": 1}, META, {"fastmcp": {"version": "9"}})
    },
    **{
        f"2026 meta {meta}": modern(E_, meta)
        for meta in (None, {}, [], {**META, "progressToken": "a"}, {**META, "progressToken": []}, {**META, "x/y": 1},
                     {**META, "progressToken": None},
                     {**META, "io.modelcontextprotocol/protocolVersion": "2025-11-25"},
                     {**META, "io.modelcontextprotocol/clientCapabilities": None},
                     {**META, "io.modelcontextprotocol/clientCapabilities": 5},
                     {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "sampling": 5}},
                     {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "x": {}}},
                     {**META, "io.modelcontextprotocol/clientInfo": None},
                     {**META, "io.modelcontextprotocol/clientInfo": {"name": 1}},
                     {name: value for name, value in META.items() if "Capabilities" not in name},
                     {name: value for name, value in META.items() if "Info" not in name})
    },
    "method header": mcp(rpc(E_), Mcp_Method="tools/call"),
    "method and name header": mcp(rpc(E_), Mcp_Method="tools/call", Mcp_Name="echo"),
    "another name header": mcp(rpc(E_), Mcp_Name="point"),
    "another method header": mcp(rpc(E_), Mcp_Method="tools/list"),
    "session header": mcp(rpc(E_), Mcp_Session_Id="a"),
    "param header": mcp(rpc(E_), Mcp_Param_Text="b"),
    "2026 without a method header": modern(E_, Mcp_Method="absent"),
    "2026 without a name header": modern(E_, Mcp_Name="absent"),
    "2026 with an encoded name": modern(E_, Mcp_Name="=?base64?ZWNobw==?="),
    "2026 with another name": modern(E_, Mcp_Name="point"),
    "2026 with a param header": modern(E_, Mcp_Param_Text="b"),
    "2026 with a session header": modern(E_, Mcp_Session_Id="a"),
    **{
        f"accept {accept!r}": mcp(rpc(E_), Accept=accept)
        for accept in ("application/json", "text/event-stream", "*/*", "application/*;q=0.5", "text/html", "")
    },
    "2026 accept": modern(E_, Accept="text/html"),
    "origin": mcp(rpc(E_), Origin=ORIGIN),
    "foreign origin": mcp(rpc(E_), Origin="https://evil.example"),
    "no token": mcp(rpc(E_), Authorization=""),
    "no scope": {**mcp(rpc(E_)), "headers": {**JSON, **bearer(scope="")}},
    "batch": mcp(f"[{rpc(E_)}]"),
    "no JSON": mcp("{"),
    "tools/list": mcp(rpc({}, method="tools/list")),
    "a notification": mcp(rpc({}, id="absent", method="notifications/initialized")),
    "rest, no body": rest("tree", ""),
    "rest, no JSON": rest("echo", "{"),
    "rest, a list": rest("echo", "[]"),
    "rest, one name twice": rest("echo", '{"text": "a", "text": "b"}'),
    "rest, a query": rest("echo", '{"text": "a"}', query="?a=1"),
    "rest, a slash more": rest("echo/", '{"text": "a"}'),
    "rest, no scope": rest("locked", '{"text": "a"}'),
    "rest, with the scope": rest("locked", '{"text": "a"}', "mcp:write"),
    "rest, escaped": {**rest("echo", '{"text": "a"}'), "url": "/api/v1/tools/%65cho"},
}  # fmt: skip
UNLIKE = {"x-request-id", "date"}


@pytest.fixture(scope="module")
def answers(apps: dict[str, Any]) -> dict[str, list[tuple[httpx.Response, list[str]]]]:
    return {name: ask(app, list(REQUESTS.values())) for name, app in apps.items()}


@pytest.mark.parametrize("name", list(REQUESTS))
def test_both_ways_answer_alike(name: str, answers: dict[str, list[tuple[httpx.Response, list[str]]]]) -> None:
    index = list(REQUESTS).index(name)
    (direct, ran), (ordinary, ran_there) = answers["direct"][index], answers["ordinary"][index]
    mine, theirs = (
        {key: value for key, value in answer.headers.items() if key not in UNLIKE} for answer in (direct, ordinary)
    )
    content = direct.content.replace(direct.headers["x-request-id"].encode(), b"")
    assert (direct.status_code, content, ran) == (
        ordinary.status_code,
        ordinary.content.replace(ordinary.headers["x-request-id"].encode(), b""),
        ran_there,
    )
    assert mine == theirs


def test_usual_calls_do_take_the_short_way(apps: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any) -> None:
        raise AssertionError("the ordinary way was taken")

    found: list[layer.DirectCalls] = []
    app = apps["direct"]
    while not isinstance(app, layer.DirectCalls):
        app = app.app
    found.append(app)
    monkeypatch.setattr(found[0], "app", refuse)
    usual = [("echo", {"text": "a"}), ("point", {"x": 1}), ("number", {"value": 1}), ("tree", {})]
    requests = [mcp(rpc({"name": name, "arguments": args}), version) for name, args in usual for version in VERSIONS]
    requests += [mcp(rpc({**E_, "_meta": {"progressToken": 1}})), mcp(rpc(E_), None)]
    requests += [modern({"name": name, "arguments": args}) for name, args in usual]
    requests += [modern(E_, {**META, "progressToken": 1})]
    requests += [rest(name, json.dumps(args)) for name, args in usual]
    for request in requests:
        ((answer, ran),) = ask_bare(apps["direct"], request)
        assert answer.status_code == 200, (request, answer.text)
        assert len(ran) == 1


def ask_bare(app: Any, request: dict[str, Any]) -> list[tuple[httpx.Response, list[str]]]:
    async def main() -> list[tuple[httpx.Response, list[str]]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
            runs.clear()
            return [(await client.request("POST", **request), list(runs))]

    return asyncio.run(main())


def forms(*functions: Callable[..., Any]) -> list[FunctionTool]:
    return [FunctionTool.from_function(once(function)) for function in functions]


def test_what_takes_something_of_fastmcp_goes_the_ordinary_way() -> None:
    made = forms(echo, with_context, with_default)
    server = FastMCP[Any]("test", tools=made)
    assert layer.direct_tools(server, made).keys() == {"echo"}


def test_middleware_that_is_not_known_closes_the_short_way() -> None:
    made = forms(echo)
    assert layer.direct_tools(FastMCP[Any]("test", tools=made, middleware=[Middleware()]), made) == {}
    assert layer.direct_tools(FastMCP[Any]("test", tools=made, strict_input_validation=True), made) == {}


def test_a_schema_with_header_parameters_closes_the_short_way() -> None:
    made = forms(echo)
    made[0].parameters["properties"]["text"]["x-mcp-header"] = "Text"
    assert layer.direct_tools(FastMCP[Any]("test", tools=made), made) == {}


def test_a_tool_that_calls_itself_runs_each_time() -> None:
    seen: list[int] = []

    async def countdown(value: int) -> int:
        seen.append(value)
        return await again(value - 1) if value else 0  # type: ignore[no-any-return]

    again = once(countdown)

    async def main() -> None:
        with attempting() as attempt:
            assert await again(3) == 0
            assert await again(3) == 0
            assert (attempt.ran, attempt.value) == (True, 0)
        await again(1)

    asyncio.run(main())
    assert seen == [3, 2, 1, 0, 1, 0]
