"""The tools through MCP, and how a function becomes a tool."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from service.context import Permit, current_caller, permitted
from service.contract import load_contract
from service.tools.registry import Tool, ToolDeclarationError, ToolFailure, ToolRegistry, declared_in, discover, tool
from tests.unit.tokens import MCP_HEADERS, bearer, call, make_settings, rpc, send

CONTRACT = load_contract()


def result(tool_name: str, arguments: dict[str, Any]) -> Any:
    answer = call(tool_name, arguments)
    assert answer.status_code == 200
    body = answer.json()["result"]
    return body["content"][0]["text"] if body["isError"] else body["structuredContent"]


def test_echo() -> None:
    assert result("echo", {"text": "grüß dich \u202e\n\x00"}) == {"result": "grüß dich \u202e\n\x00"}


@pytest.mark.parametrize(
    ("given", "zone"), [("UTC", "UTC"), ("Europe/Berlin", "Europe/Berlin"), ("asia/kolkata", "Asia/Kolkata")]
)
def test_timestamp(given: str, zone: str) -> None:
    moment = result("timestamp", {"timezone": given})
    told = datetime.fromisoformat(moment["timestamp"])
    assert moment["timezone"] == zone
    assert int(told.timestamp()) == moment["unix"]
    assert told.utcoffset() == {"Asia/Kolkata": timedelta(hours=5.5), "UTC": timedelta()}.get(zone, told.utcoffset())


def test_timestamp_is_utc_unless_said() -> None:
    assert result("timestamp", {})["timezone"] == "UTC"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Berlin", "did you mean Europe/Berlin?"),
        ("Europe/Berln", "did you mean Europe/Berlin"),
        ("Nowhere", "for example UTC"),
        ("../../etc/passwd", "https://www.iana.org/time-zones"),
        ("/etc/localtime", "https://www.iana.org/time-zones"),
        ("\x00", "https://www.iana.org/time-zones"),
    ],
)
def test_an_unknown_zone_is_an_error_that_helps(name: str, hint: str) -> None:
    text = result("timestamp", {"timezone": name})
    assert text.startswith("There is no time zone of that name")
    assert hint in text


def test_calculate() -> None:
    assert result("calculate", {"expression": "6 * 7"}) == {"result": 42}
    assert result("calculate", {"expression": "7 / 2"}) == {"result": 3.5}


@pytest.mark.parametrize("expression", ["9**9**9", "1/0", "__import__('os').getcwd()", "nan", "1e308*10", "٣"])
def test_a_hostile_expression_is_a_tool_error(expression: str) -> None:
    assert len(result("calculate", {"expression": expression})) < 160


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("echo", {}, "text: is required"),
        ("echo", {"text": 5}, "text: input should be a valid string"),
        ("echo", {"text": "x" * 10_001}, "text: string should have at most 10000 characters"),
        ("echo", {"text": "x", "more": "secret"}, "more: is no argument of this tool"),
        ("calculate", {"expression": ["secret"]}, "expression: input should be a valid string"),
        ("timestamp", {"timezone": ""}, "timezone: string should have at least 1 character"),
    ],
)
def test_wrong_arguments_are_told_without_their_values(name: str, arguments: dict[str, Any], words: str) -> None:
    text = result(name, arguments)
    assert words in text
    assert "secret" not in text


def names(scope: str) -> set[str]:
    answer = send("POST", "/mcp", json=rpc("tools/list"), headers={**MCP_HEADERS, **bearer(scope=scope)})
    return {entry["name"] for entry in answer.json()["result"]["tools"]}


def test_the_list_shows_what_the_caller_may_call() -> None:
    assert names("mcp:read") == {"echo", "timestamp"}
    assert names("mcp:infer") == {"echo", "timestamp"}
    assert names("mcp:write") == {"echo", "timestamp", "calculate"}


def test_the_list_is_private_in_the_2026_07_28_protocol() -> None:
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    headers = {"Accept": "application/json", "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
    answer = send("POST", "/mcp", json=rpc("tools/list", {"_meta": meta}), headers={**headers, **bearer()})
    assert answer.json()["result"]["cacheScope"] == "private"


MODULE = '''
"""A tool of a test."""
from service.context import current_caller
from service.tools.registry import tool, ToolFailure

@tool(scopes=("{scope}",), example={{}})
async def whoami() -> dict[str, str]:
    """Say who calls."""
    caller = current_caller()
    return {{"user": caller.username or "", "client": caller.client_id}}
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    folder = tmp_path / "tools_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("tools_of_a_test")]:
        monkeypatch.delitem(sys.modules, name)
    return __import__("tools_of_a_test")


def write(package: ModuleType, text: str) -> None:
    (Path(str(package.__path__[0])) / "whoami.py").write_text(text)


def test_a_file_in_the_folder_is_all_that_a_tool_needs(package: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    import service.app

    write(package, MODULE.format(scope="mcp:read"))
    monkeypatch.setattr(service.app, "discover", lambda contract: discover(contract, package))
    settings = {"log_level": "info"}
    answer = send("POST", "/api/v1/tools/whoami", headers=bearer(preferred_username="ada"), settings=settings)
    assert answer.json() == {"tool": "whoami", "result": {"user": "ada", "client": "mcp-automation"}}
    message = rpc("tools/call", {"name": "whoami", "arguments": {}})
    headers = {**MCP_HEADERS, **bearer(preferred_username="ada")}
    answer = send("POST", "/mcp", json=message, headers=headers, settings=settings)
    assert answer.json()["result"]["structuredContent"] == {"user": "ada", "client": "mcp-automation"}
    answer = send("POST", "/mcp", json=message, headers={**MCP_HEADERS, **bearer(scope="")}, settings=settings)
    assert answer.status_code == 403
    document = send("GET", "/openapi.json", settings=settings).json()
    assert "/api/v1/tools/whoami" in document["paths"]


def test_a_scope_that_the_contract_does_not_know_stops_the_start(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import service.app

    write(package, MODULE.format(scope="mcp:dream"))
    monkeypatch.setattr(service.app, "discover", lambda contract: discover(contract, package))
    with pytest.raises(SystemExit) as caught:
        service.app.create_app(make_settings())
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "Secure MCP cannot start:",
        "  service/tools, tool whoami: the access contract does not know scope mcp:dream; "
        "add it to access.yaml or write one of: mcp:read, mcp:write, mcp:infer",
    ]


async def _nothing() -> str:
    """Return nothing much."""
    return ""


def test_a_wrong_declaration_is_refused_with_the_remedy() -> None:
    def not_async() -> str:
        """Return nothing much."""
        return ""

    async def silent() -> str:
        return ""

    async def BadName() -> str:  # noqa: N802 - that is the point
        """Return nothing much."""
        return ""

    for function, scopes, words in [
        (not_async, ("mcp:read",), "write `async def not_async`"),
        (silent, ("mcp:read",), "has no docstring"),
        (BadName, ("mcp:read",), "has an unusable name"),
        (_nothing, ("mcp:read",), "has an unusable name"),
    ]:
        with pytest.raises(ToolDeclarationError, match=words):
            tool(scopes=scopes)(function)  # type: ignore[type-var]
    for scopes in ((), "mcp:read"):

        async def good() -> str:
            """Return nothing much."""
            return ""

        with pytest.raises(ToolDeclarationError, match="names no scope"):
            tool(scopes=scopes)(good)


def test_two_tools_of_one_name_are_refused() -> None:
    twice = [Tool("a", "A", "A.", ("mcp:read",), _nothing)] * 2
    with pytest.raises(ToolDeclarationError, match="is declared twice"):
        ToolRegistry(twice, CONTRACT)


def test_only_the_module_that_declares_a_tool_owns_it() -> None:
    import service.tools.calculate
    import service.tools.registry

    assert [entry.name for entry in declared_in(service.tools.calculate)] == ["calculate"]
    assert declared_in(service.tools.registry) == []


def test_every_example_works() -> None:
    for entry in discover(CONTRACT).configured(make_settings()).values():
        answer = send("POST", f"/api/v1/tools/{entry.name}", json=dict(entry.example), headers=bearer())
        assert answer.status_code == 200, entry.name


def test_the_caller_is_current_inside_only() -> None:
    permit = Permit(caller=object(), tool="echo")  # type: ignore[arg-type]
    with permitted(permit):
        assert current_caller() is permit.caller
    with pytest.raises(LookupError):
        current_caller()


def test_a_failure_is_no_fault_of_the_service() -> None:
    assert str(ToolFailure("no")) == "no"
