"""Token exchange (RFC 8693) with the real Keycloak: another API gets a token made for it, and never the caller's."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support import client
from tests.support.http import Service, challenge
from tests.support.login import Person
from tests.support.oauth import ISSUED, audiences_of, claims_of, request_token
from tests.support.realm import Stack, answered
from tests.support.until import until
from tests.support.verdict import assert_invalid_token

API = "downstream-api"
TOOL = "whoami_downstream"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Api:
    """The other API: judges the token that it gets as any resource server does, and says who calls."""

    def __init__(self, issuer: str) -> None:
        self.tokens: list[str] = []
        self.requests = 0
        self.status = 200
        self.keys = KeySet.import_key_set(client.get(f"{issuer}/protocol/openid-connect/certs").json())
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.requests += 1
                token = self.headers.get("authorization", "").removeprefix("Bearer ")
                api.tokens.append(token)
                status, answer = api.judge(token, issuer)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/whoami"

    def judge(self, token: str, issuer: str) -> tuple[int, dict[str, Any]]:
        claims = jwt.decode(token, self.keys, algorithms=["RS256"]).claims
        if claims["iss"] != issuer or claims["aud"] not in (API, [API]):
            return 401, {"error": "invalid_token"}
        return self.status, {"sub": claims["sub"], "azp": claims["azp"], "scope": claims["scope"]}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def api(stack: Stack) -> Iterator[Api]:
    api = Api(stack.issuer)
    yield api
    ISSUED.update(api.tokens)
    api.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "service.log"


@pytest.fixture
def calling(start_service, api: Api, log: Path) -> Iterator[Service]:
    """A service with the demonstration tool."""
    with start_service(log, SECURE_MCP_DOWNSTREAM_URL=api.url) as service:
        service.process.wait_ready(60)
        yield service


def exchanged(stack: Stack, token: str, **other: str) -> httpx.Response:
    """Exchange a token as the service's own client does."""
    form = {"client_id": "mcp-server", "client_secret": stack.secrets["mcp-server"], "subject_token": token}
    types = {"subject_token_type": ACCESS_TOKEN, "requested_token_type": ACCESS_TOKEN}
    return request_token(stack.token_endpoint, EXCHANGE, **form, **types, **other)


def _line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if "token_exchange_failed" in line), "")


def result_of(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return response.json()["result"]


@pytest.mark.requirement("EXCHANGE-REFUSED")
def test_without_the_scope_there_is_a_403_and_no_exchange(
    stack: Stack, calling: Service, api: Api, person: Person, log_in
) -> None:
    token = log_in(person, scope="openid")["access_token"]
    for entrance in ("mcp", "rest"):
        refused = calling.use(TOOL, {}, token, entrance=entrance)
        assert refused.status_code == 403, refused.text
        assert challenge(refused)["scope"] == "mcp:read"
    assert api.requests == 0
    events = stack.admin.get(f"/{stack.name}/events", type="TOKEN_EXCHANGE", user=claims_of(token)["sub"])
    errors = stack.admin.get(f"/{stack.name}/events", type="TOKEN_EXCHANGE_ERROR", user=claims_of(token)["sub"])
    assert (events, errors) == ([], [])


@pytest.mark.requirement("EXCHANGE-AUDIENCE", "EXCHANGE-SCOPE", "EXCHANGE-NO-PASSTHROUGH")
@pytest.mark.parametrize("who", ["person", "mcp-reader", "mcp-automation"])
def test_the_other_api_gets_a_token_made_for_it(
    stack: Stack, calling: Service, service: Service, api: Api, log: Path, person: Person, log_in, who: str
) -> None:
    asked = "openid mcp:read mcp:write"
    token = log_in(person, scope=asked)["access_token"] if who == "person" else stack.token_for(who)
    answer = result_of(calling.use(TOOL, {}, token, entrance="rest"))
    assert answer["api"] == API
    own = claims_of(token)
    assert answer["answer"] == {"sub": own["sub"], "azp": "mcp-server", "scope": "mcp:read"}

    [sent] = api.tokens
    assert sent != token
    assert audiences_of(sent) == [API]
    claims = claims_of(sent)
    assert set(claims["scope"].split()) <= set(own["scope"].split())
    assert not {"email", "preferred_username", "realm_access", "resource_access"} & claims.keys()
    assert claims["exp"] - claims["iat"] <= 300
    assert_invalid_token(service.use("echo", {"text": "x"}, sent, entrance="mcp"), stack)
    text = log.read_text(encoding="utf-8")
    assert token not in text
    assert sent not in text
    assert stack.secrets["mcp-server"] not in text


@pytest.mark.requirement("EXCHANGE-TRAIL")
def test_both_sides_say_who_had_a_token_exchanged_for_which_api(
    stack: Stack, calling: Service, log: Path, person: Person, log_in
) -> None:
    own = claims_of(token := log_in(person, scope="openid mcp:read")["access_token"])
    answered_call = calling.use(TOOL, {}, token, entrance="rest")
    result_of(answered_call)
    [event] = stack.admin.get(f"/{stack.name}/events", type="TOKEN_EXCHANGE", user=own["sub"])
    assert (event["clientId"], event["details"]["audience"]) == ("mcp-server", API)
    assert event["sessionId"] == own["sid"]

    def line() -> dict[str, Any] | None:
        request = answered_call.headers["x-request-id"]
        lines = [json.loads(text) for text in log.read_text(encoding="utf-8").splitlines() if request in text]
        return next((entry for entry in lines if entry["event"] == "access_allowed"), None)

    found = until(line, 10, "the line of the audit trail")
    assert found is not None
    assert (found["tool"], found["sub"], found["client"]) == (TOOL, own["sub"], own["azp"])


@pytest.mark.requirement("EXCHANGE-REFUSED")
def test_an_ended_session_is_refused_by_keycloak_and_the_caller_is_told(
    stack: Stack, calling: Service, api: Api, log: Path, person: Person, log_in
) -> None:
    token = log_in(person, scope="openid mcp:read")["access_token"]
    result_of(calling.use(TOOL, {}, token, entrance="rest"))
    stack.admin.delete(f"/{stack.name}/sessions/{claims_of(token)['sid']}")
    refused = calling.use(TOOL, {}, token, entrance="rest")
    assert refused.status_code in {401, 422}, refused.text
    if refused.status_code == 422:  # the notice of the logout may come first
        assert "log in again" in refused.json()["error_description"]
        line = until(lambda: _line(log), 10, "the log to say so")
        assert json.loads(line)["reason"] == "refused"
    assert api.requests == 1


@pytest.mark.requirement("EXCHANGE-REFUSED")
def test_an_api_that_fails_is_no_fault_of_the_service(calling: Service, api: Api, reader_token: str) -> None:
    api.status = 500
    refused = calling.use(TOOL, {}, reader_token, entrance="rest")
    assert (refused.status_code, refused.json()["error"]) == (422, "tool_error")
    assert "500" in refused.json()["error_description"]


@pytest.mark.requirement("EXCHANGE-OFF")
def test_without_the_setting_there_is_no_such_tool(service: Service, reader_token: str) -> None:
    assert service.use(TOOL, {}, reader_token, entrance="rest").status_code == 404
    names = [tool["name"] for tool in service.get("/api/v1/tools", token=reader_token).json()["tools"]]
    assert "echo" in names
    assert TOOL not in names


@pytest.mark.requirement("EXCHANGE-REALM")
def test_keycloak_gives_no_more_than_is_declared(stack: Stack, reader_token: str) -> None:
    for other in ({"audience": "mcp-cli"}, {"audience": API, "scope": "mcp:write"}, {"audience": "nobody"}):
        refused = exchanged(stack, reader_token, **other)
        assert refused.status_code == 400, refused.text
        assert refused.json()["error"] in {"invalid_request", "invalid_scope", "invalid_client"}
    answer = answered(exchanged(stack, reader_token, audience=API))
    assert claims_of(answer["access_token"])["scope"] == ""
    assert "refresh_token" not in answer


@pytest.mark.requirement("EXCHANGE-REALM")
@pytest.mark.parametrize("client_id", ["mcp-automation", "mcp-reader", "terraform", "auditor"])
def test_no_other_client_may_exchange(stack: Stack, reader_token: str, client_id: str) -> None:
    own = {"client_id": client_id, "client_secret": stack.secrets[client_id]}
    types = {"subject_token_type": ACCESS_TOKEN, "requested_token_type": ACCESS_TOKEN}
    refused = request_token(stack.token_endpoint, EXCHANGE, **own, **types, subject_token=reader_token, audience=API)
    assert refused.status_code in {400, 401, 403}, refused.text


@pytest.mark.requirement("EXCHANGE-REALM")
def test_the_other_api_itself_gets_no_token(stack: Stack) -> None:
    for secret in (None, "", API):
        refused = request_token(stack.token_endpoint, "client_credentials", client_id=API, client_secret=secret)
        assert refused.status_code in {400, 401}, refused.text
