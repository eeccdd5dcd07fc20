"""The REST view, health, OpenAPI, and dependencies for authors of routes."""

import json
from typing import Any, ClassVar

import httpx
import pytest
from fastapi import Depends, FastAPI

from service import __version__
from service.api import errors
from service.api.dependencies import CurrentCaller, require_scopes
from service.app import create_app
from service.telemetry.outlet import flush_all
from tests.unit.tokens import StaticKeySource, bearer, make_keys, make_settings, send


def call(name: str, arguments: Any = None, **request: Any) -> httpx.Response:
    body = {} if arguments is None else {"json": arguments}
    return send("POST", f"/api/v1/tools/{name}", **body, **{"headers": bearer(), **request})


def test_a_call() -> None:
    answer = call("echo", {"text": "hello"})
    assert answer.status_code == 200
    assert answer.json() == {"tool": "echo", "result": "hello"}
    assert answer.headers["cache-control"] == "no-store"
    assert call("calculate", {"expression": "2**10"}).json() == {"tool": "calculate", "result": 1024}
    assert set(call("timestamp").json()["result"]) == {"timestamp", "timezone", "unix"}


def test_the_list_shows_what_the_caller_may_call() -> None:
    answer = send("GET", "/api/v1/tools", headers=bearer(scope="mcp:read"))
    tools = {entry["name"]: entry for entry in answer.json()["tools"]}
    assert set(tools) == {"echo", "timestamp"}
    assert tools["echo"]["scopes"] == ["mcp:read"]
    assert tools["echo"]["example"] == {"text": "hello"}
    assert tools["echo"]["input_schema"]["required"] == ["text"]


def test_a_missing_scope_is_refused_by_the_same_guard() -> None:
    answer = call("calculate", {"expression": "1"}, headers=bearer(scope="mcp:read"))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    encoded = call("calcul%61te", {"expression": "1"}, headers=bearer(scope="mcp:read"))
    assert encoded.status_code == 403


@pytest.mark.parametrize(
    ("name", "arguments", "status", "error"),
    [
        ("nothing", {}, 404, "unknown_tool"),
        ("echo", {}, 422, "invalid_arguments"),
        ("echo", {"text": 1}, 422, "invalid_arguments"),
        ("echo", {"text": "x", "y": 1}, 422, "invalid_arguments"),
        ("echo", [], 422, "invalid_arguments"),
        ("echo", "text", 422, "invalid_arguments"),
        ("calculate", {"expression": "1/0"}, 422, "tool_error"),
        ("timestamp", {"timezone": "Nowhere"}, 422, "tool_error"),
        ("echo/more", {}, 404, "not_found"),
        ("..%2ftools%2fecho", {}, 404, "not_found"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(name: str, arguments: Any, status: int, error: str) -> None:
    answer = call(name, arguments)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.json()["error_description"]


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b'{"text":"a","text":"b"}', b"[" * 5000, b'{"text":NaN}', b'{"text":"\\ud800"}']
)
def test_a_body_that_is_no_json_is_refused(content: bytes) -> None:
    answer = call("echo", content=content, headers={**bearer(), "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_json")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/tools/echo"), ("PUT", "/api/v1/tools"), ("POST", "/version")]
)
def test_another_method_is_refused(method: str, path: str) -> None:
    answer = send(method, path, headers=bearer())
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


def test_health() -> None:
    assert send("GET", "/livez").json() == {"status": "ok"}
    assert send("GET", "/readyz").json() == {"status": "ok"}
    assert send("GET", "/version").json() == {"name": "secure-mcp", "version": __version__}


def test_without_keys_it_lives_but_is_not_ready() -> None:
    assert send("GET", "/livez", keys=StaticKeySource()).status_code == 200
    answer = send("GET", "/readyz", keys=StaticKeySource())
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["cache-control"] == "no-store"


def test_keys_are_started_and_stopped_with_the_service() -> None:
    keys = make_keys()
    send("GET", "/livez", keys=keys)
    assert (keys.started, keys.stopped) == (1, 1)


def test_openapi_describes_every_tool_with_an_example_and_how_to_get_a_token() -> None:
    document = send("GET", "/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["OAuth2AuthorizationCodeBearer"]
    flow = scheme["flows"]["authorizationCode"]
    assert flow["authorizationUrl"] == "http://localhost:8080/realms/mcp-realm/protocol/openid-connect/auth"
    assert flow["tokenUrl"] == "http://localhost:8080/realms/mcp-realm/protocol/openid-connect/token"
    assert set(flow["scopes"]) == {"mcp:read", "mcp:write", "mcp:infer"}
    scopes = {"echo": ["mcp:read"], "timestamp": ["mcp:read"], "calculate": ["mcp:write"]}
    for name, needed in scopes.items():
        operation = document["paths"][f"/api/v1/tools/{name}"]["post"]
        content = operation["requestBody"]["content"]["application/json"]
        assert set(content["example"]) <= set(content["schema"]["properties"])
        assert operation["security"] == [{"OAuth2AuthorizationCodeBearer": needed}]
        assert {"200", "400", "401", "403", "404", "413", "415", "422", "503"} <= set(operation["responses"])
    assert "$defs" not in json.dumps(document)
    assert "/api/v1/tools/{name}" not in document["paths"]


@pytest.fixture
def extended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add routes of an author to the service."""
    import service.app

    build = service.app.build_api

    def build_more(*args: Any) -> FastAPI:
        api = build(*args)

        @api.get("/api/v1/me")
        async def me(caller: CurrentCaller) -> dict[str, str]:
            return {"sub": caller.subject}

        @api.post("/api/v1/report", dependencies=[Depends(require_scopes("mcp:write", "mcp:infer"))])
        async def report() -> dict[str, str]:
            return {"report": "done"}

        @api.post("/api/v1/broken")
        async def broken() -> None:
            raise RuntimeError("a detail from inside")

        @api.get("/api/v1/number/{number}")
        async def number(number: int) -> int:
            return number

        errors.install(api)
        return api

    monkeypatch.setattr(service.app, "build_api", build_more)


@pytest.mark.usefixtures("extended")
class TestRoutesOfAnAuthor:
    SETTINGS: ClassVar = {"settings": {"log_level": "info"}}

    def test_the_caller_is_known(self) -> None:
        answer = send("GET", "/api/v1/me", headers=bearer(sub="ada"), **self.SETTINGS)
        assert answer.json() == {"sub": "ada"}
        assert send("GET", "/api/v1/me", **self.SETTINGS).status_code == 401

    def test_scopes_are_required_and_all_are_named(self) -> None:
        answer = send("POST", "/api/v1/report", headers=bearer(scope="mcp:write"), **self.SETTINGS)
        assert answer.status_code == 403
        assert answer.headers["www-authenticate"].endswith('scope="mcp:write mcp:infer"')
        headers = bearer(scope="mcp:write mcp:infer")
        assert send("POST", "/api/v1/report", headers=headers, **self.SETTINGS).json() == {"report": "done"}

    def test_a_fault_of_ours_says_nothing_from_inside(self, capsys: pytest.CaptureFixture[str]) -> None:
        answer = send("POST", "/api/v1/broken", headers=bearer(), **self.SETTINGS)
        assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
        assert answer.headers["x-request-id"] == answer.json()["request_id"]
        assert flush_all()
        out = capsys.readouterr().out
        (entry,) = [json.loads(line) for line in out.splitlines() if '"request_failed"' in line]
        assert entry["exception"] == "builtins.RuntimeError"
        assert entry["frames"][-1].endswith(" broken")
        assert "a detail from inside" not in out

    def test_a_path_that_does_not_fit_is_422(self) -> None:
        answer = send("GET", "/api/v1/number/x", headers=bearer(), **self.SETTINGS)
        assert (answer.status_code, answer.json()["error"]) == (422, "invalid_arguments")


def test_the_service_is_built_without_the_network() -> None:
    assert callable(create_app(make_settings()))
