"""Token exchange without a server: what is asked, what is taken for an answer, what the log says."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from service.auth import exchange as module
from service.auth.exchange import ACCESS_TOKEN, ExchangeFailed, TokenExchanger
from service.auth.token import Caller
from service.context import Permit, current_delegation, permitted
from service.contract import load_contract
from service.downstream import Delegation, Downstream, build_downstream
from service.settings_files import SettingsError
from service.telemetry.log import ids
from service.tools.registry import ToolFailure
from tests.unit import jose
from tests.unit.tokens import make_settings, make_token, send

API = "downstream-api"
NOW = 1_800_000_000
SECRET = "0123456789abcdef-0123456789abcdef"
TOKEN = "caller.access.token"
CALLER = Caller(
    "somebody", "mcp-cli", jose.ISSUER, frozenset({"mcp:write", "mcp:read"}), frozenset({"mcp:write"}), 0, 0,
)  # fmt: skip
ENDPOINT = f"{jose.ISSUER}/protocol/openid-connect/token"

pytestmark = pytest.mark.requirement("EXCHANGE-ANSWER")


def exchanged_token(**changes: Any) -> str:
    claims = {"aud": API, "sub": "somebody", "scope": "mcp:read", "iss": jose.ISSUER, "exp": NOW + 1}
    return make_token(**(claims | changes))


def answer_of(token: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "access_token": token or exchanged_token(), "token_type": "Bearer", "issued_token_type": ACCESS_TOKEN
    } | changes  # fmt: skip


class Server:
    """Plays the authorization server."""

    def __init__(self, status: int = 200, answer: Any = None, metadata: Any = None) -> None:
        self.forms: list[dict[str, str]] = []
        self.urls: list[str] = []
        self.request_ids: list[str | None] = []
        self.status = status
        self.answer = answer_of() if answer is None else answer
        self.metadata = metadata or {"issuer": jose.ISSUER, "token_endpoint": ENDPOINT}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        self.request_ids.append(request.headers.get("x-request-id"))
        if request.method == "GET":
            return httpx.Response(200, json=self.metadata)
        assert request.method == "POST"
        self.forms.append(dict(parse_qsl(request.content.decode())))
        content = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return httpx.Response(self.status, content=content)


def exchange(
    server: Callable[[httpx.Request], Any], scopes: tuple[str, ...] = ("mcp:read",), internal_url: str | None = None
) -> str:
    async def main() -> str:
        exchanger = TokenExchanger(
            issuer=jose.ISSUER,
            internal_url=internal_url,
            client_id="mcp-server",
            client_secret=SecretStr(SECRET),
            transport=httpx.MockTransport(server),
            clock=lambda: NOW,
        )
        try:
            return (await exchanger.exchange(SecretStr(TOKEN), CALLER, API, scopes)).get_secret_value()
        finally:
            await exchanger.stop()

    return asyncio.run(main())


def refused(server: Callable[[httpx.Request], Any], **how: Any) -> tuple[str, str]:
    """Return reason and detail of an exchange that fails, which stand in one line of the log, too."""
    with pytest.raises(ExchangeFailed) as caught, capture_logs() as lines:
        exchange(server, **how)
    failed = caught.value
    assert failed.__cause__ is None
    assert str(failed) == failed.reason
    told = {"audience": API, "reason": failed.reason, "detail": failed.detail}
    assert lines == [{"event": "token_exchange_failed", "log_level": "warning"} | told]
    return failed.reason, failed.detail


def test_the_request_id_of_the_call_goes_along() -> None:
    server = Server()
    before = ids.set(("of-the-caller", "0" * 32))
    try:
        exchange(server)
    finally:
        ids.reset(before)
    assert server.request_ids == ["of-the-caller", "of-the-caller"]


def test_it_asks_as_the_standard_says() -> None:
    server = Server()
    assert exchange(server) == server.answer["access_token"]
    assert server.urls[-1] == ENDPOINT
    assert server.forms == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "client_id": "mcp-server",
            "client_secret": SECRET,
            "subject_token": TOKEN,
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": ACCESS_TOKEN,
            "audience": API,
            "scope": "mcp:read",
        }
    ]


def test_the_endpoint_is_reached_by_the_internal_address() -> None:
    server = Server()
    exchange(server, internal_url="http://keycloak:8080/realms/x")
    assert server.urls[-1] == "http://keycloak:8080/realms/x/protocol/openid-connect/token"


def test_a_scope_that_the_caller_lacks_is_refused_before_anything_is_asked() -> None:
    server = Server()
    assert refused(server, scopes=("mcp:read", "mcp:infer")) == ("scope_not_held", "")
    assert server.urls == []


def test_all_that_the_caller_holds_and_nothing_at_all_may_be_asked_for() -> None:
    whole = exchanged_token(scope="mcp:read mcp:write")
    server = Server(answer=answer_of(whole))
    assert exchange(server, scopes=("mcp:write", "mcp:read")) == whole
    assert server.forms[0]["scope"] == "mcp:read mcp:write"
    scopeless = exchanged_token(scope=None)
    assert exchange(Server(answer=answer_of(scopeless)), scopes=()) == scopeless


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": jose.AUDIENCE}, "wrong_audience"),
        ({"aud": [API, jose.AUDIENCE]}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"scope": "mcp:read mcp:write"}, "more_scope"),
        ({"scope": "mcp:read email"}, "more_scope"),
        ({"scope": ["mcp:read"]}, "more_scope"),
        ({"sub": "another"}, "wrong_subject"),
        ({"iss": "https://evil.example"}, "wrong_subject"),
        ({"exp": 1}, "expired"),
        ({"exp": NOW}, "expired"),
        ({"exp": None}, "expired"),
    ],
)
def test_a_token_that_was_not_asked_for_is_thrown_away(claims: dict[str, Any], reason: str) -> None:
    assert refused(Server(answer=answer_of(exchanged_token(**claims)))) == (reason, "")


@pytest.mark.parametrize(
    ("status", "answer", "reason", "detail"),
    [
        (400, {"error": "invalid_scope", "error_description": SECRET}, "refused", "invalid_scope"),
        (400, {"error": SECRET}, "refused", "status_400"),
        (403, b"<html>", "refused", "status_403"),
        (302, b"", "refused", "status_302"),
        (500, {"error": "x"}, "unreachable", "status_500"),
        (200, b"no json", "bad_answer", "no_json_object"),
        (200, b"[" * 60000, "bad_answer", "no_json_object"),
        (200, b" " * 70000, "bad_answer", "too_large"),
        (200, [1], "bad_answer", "no_json_object"),
        (200, {}, "bad_answer", "no_access_token"),
        (200, answer_of(token_type="N_A"), "bad_answer", "no_access_token"),
        (
            200,
            answer_of(issued_token_type="urn:ietf:params:oauth:token-type:refresh_token"),
            "bad_answer",
            "no_access_token",
        ),
        (200, answer_of("opaque"), "bad_answer", "malformed_token"),
        (200, answer_of("a.b.c"), "bad_answer", "malformed_token"),
        (200, answer_of("a.W10.c"), "bad_answer", "malformed_claims"),
    ],
)
def test_any_other_answer_is_an_error_and_not_in_the_log(status: int, answer: Any, reason: str, detail: str) -> None:
    assert refused(Server(status, answer)) == (reason, detail)


@pytest.mark.parametrize(
    ("metadata", "detail"),
    [
        ({"issuer": "https://evil.example", "token_endpoint": ENDPOINT}, "another_issuer"),
        ({"issuer": jose.ISSUER, "token_endpoint": "https://evil.example/token"}, "foreign_token_endpoint"),
        ({"issuer": jose.ISSUER, "token_endpoint": f"{jose.ISSUER}.evil.example/token"}, "foreign_token_endpoint"),
        ({"issuer": jose.ISSUER}, "foreign_token_endpoint"),
    ],
)
def test_the_secret_goes_to_the_issuer_only(metadata: dict[str, str], detail: str) -> None:
    server = Server(metadata=metadata)
    assert refused(server) == ("bad_answer", detail)
    assert server.forms == []


@pytest.mark.parametrize("first", ["GET", "POST"])
def test_a_redirect_is_not_followed(first: str) -> None:
    """The secret and the token would go along (307 keeps method and body)."""
    server = Server()

    async def redirecting(request: httpx.Request) -> httpx.Response:
        if request.method == first:
            return httpx.Response(307, headers={"location": f"{jose.ISSUER}/elsewhere"})
        return await server(request)

    assert refused(redirecting) == (("unreachable" if first == "GET" else "refused"), "status_307")
    assert not any("elsewhere" in url for url in server.urls)


def test_a_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXCHANGE_SECONDS", 0.05)

    async def silent(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    assert refused(silent) == ("unreachable", "TimeoutError")
    assert refused(broken) == ("unreachable", "ConnectError")


def _downstream(server: Server) -> Downstream:
    exchanger = TokenExchanger(
        issuer=jose.ISSUER, internal_url=None, client_id="mcp-server", client_secret=SecretStr(SECRET),
        transport=httpx.MockTransport(server),
    )  # fmt: skip
    return Downstream(exchanger, frozenset({API}), None, API)


@pytest.mark.requirement("EXCHANGE-REFUSED")
def test_a_tool_is_told_what_to_tell_the_caller() -> None:
    server = Server(400, {"error": "invalid_grant"})
    delegation = _downstream(server).for_caller(TOKEN, CALLER)
    with permitted(Permit(CALLER, "echo", delegation)):
        assert current_delegation() is delegation
        with pytest.raises(ToolFailure, match="log in again"):
            asyncio.run(current_delegation().token(API))
        with pytest.raises(LookupError, match="downstream_apis"):
            asyncio.run(current_delegation().token("elsewhere"))
    assert TOKEN not in repr(Permit(CALLER, "echo", delegation)) + repr(delegation) + str(delegation)


@pytest.mark.requirement("EXCHANGE-OFF")
def test_without_a_secret_nothing_is_exchanged() -> None:
    assert build_downstream(make_settings(), load_contract()) is None
    with permitted(Permit(CALLER, "echo")), pytest.raises(LookupError, match="SECURE_MCP_CLIENT_SECRET"):
        current_delegation()
    assert isinstance(
        build_downstream(make_settings(client_secret=SECRET), load_contract()), Downstream
    )  # fmt: skip
    assert Delegation.__slots__


@pytest.mark.requirement("EXCHANGE-OFF")
def test_the_tool_is_there_only_where_it_is_configured() -> None:
    paths = send("GET", "/openapi.json").json()["paths"]
    assert "/api/v1/tools/whoami_downstream" not in paths
    settings = {"client_secret": SECRET, "downstream_url": "http://127.0.0.1:1/whoami"}
    paths = send("GET", "/openapi.json", settings=settings).json()["paths"]
    assert "/api/v1/tools/whoami_downstream" in paths


@pytest.mark.requirement("EXCHANGE-OFF")
@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"downstream_url": "http://api.example.com/"}, "https"),
        ({"downstream_url": "ftp://x/"}, "https://api.example.com"),
        ({"downstream_url": "https://api.example.com/?a=b"}, "query"),
        ({"client_secret": None}, "SECURE_MCP_CLIENT_SECRET"),
    ],
)
def test_a_wrong_setting_stops_the_start(changes: dict[str, Any], hint: str) -> None:
    values = {"client_secret": SECRET, "downstream_url": "https://api.example.com/whoami"} | changes
    with pytest.raises(SettingsError, match=hint):
        make_settings(**values)


@pytest.mark.requirement("EXCHANGE-OFF")
def test_an_api_that_the_contract_does_not_name_stops_the_start() -> None:
    settings = make_settings(client_secret=SECRET, downstream_url="https://a.example/", downstream_audience="other")
    with pytest.raises(SettingsError, match="downstream-api"):
        build_downstream(settings, load_contract())
