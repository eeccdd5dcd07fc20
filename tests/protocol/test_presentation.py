"""How a token may be presented, and the answers to every wrong way (RFC 6750 sections 2 and 3)."""

import pytest

from tests.support import client
from tests.support.http import Service, bearer, challenge, message
from tests.support.raw import exchange
from tests.support.realm import Stack
from tests.support.verdict import assert_invalid_token, assert_no_credentials

NOT_PUBLIC = [
    "/console/",
    "/console/main.js",
    "/console/../mcp",
    "/mcp/",
    "//mcp",
    "/mcp%2f",
    "/MCP",
    "/./mcp",
    "/mcp;x",
    "/api",
    "/api/v1/tools/",
    "/admin",
    "/metrics",
    "/livez/../mcp",
    "/livez/x",
    "/docs/../api/v1/tools",
    "/%2e%2e/mcp",
    "/.well-known/",
    "/.well-known/x",
]
ENTRANCES = pytest.mark.parametrize("entrance", ["mcp", "rest"])


@ENTRANCES
@pytest.mark.requirement("RFC6750-3.1-NONE", "RFC9728-5.1", "MCP-R12", "MCP-R16")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"Authorization": "Basic bWNwLWNsaTp4"}, id="Basic"),
        pytest.param({"Authorization": "DPoP TOKEN"}, id="DPoP"),
        pytest.param({"X-Access-Token": "TOKEN", "X-Forwarded-User": "admin"}, id="headers of others"),
        pytest.param({"Cookie": "access_token=TOKEN"}, id="a cookie"),
    ],
)
def test_no_credentials(
    stack: Stack, service: Service, reader_token: str, headers: dict[str, str], entrance: str
) -> None:
    filled = {name: value.replace("TOKEN", reader_token) for name, value in headers.items()}
    assert_no_credentials(service.use("echo", {"text": "x"}, entrance=entrance, headers=filled), stack)


@ENTRANCES
@pytest.mark.requirement("RFC6750-2.1")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_not_case_sensitive(service: Service, reader_token: str, scheme: str, entrance: str) -> None:
    headers = {"Authorization": f"{scheme} {reader_token}"}
    assert service.use("echo", {"text": "x"}, entrance=entrance, headers=headers).status_code == 200


@ENTRANCES
@pytest.mark.requirement("RFC6750-2.1", "MCP-R12")
@pytest.mark.parametrize(
    "form", ["Bearer", "Bearer  {0}", "Bearer\t{0}", "Bearer {0} {0}", "Bearer {0}, Bearer {0}", "Bearer{0}"]
)
def test_a_malformed_header_lets_nobody_in(
    stack: Stack, service: Service, reader_token: str, form: str, entrance: str
) -> None:
    headers = {"Authorization": form.format(reader_token)}
    response = service.use("echo", {"text": "x"}, entrance=entrance, headers=headers)
    assert response.status_code in {400, 401}, response.text
    assert challenge(response)["resource_metadata"] == stack.metadata_url


@pytest.mark.requirement("RFC6750-2", "MCP-R13")
def test_a_token_in_the_url_is_not_read(stack: Stack, reader_token: str) -> None:
    body, headers = message("tools/list")
    for url in (stack.mcp_url, f"{stack.public_url}/api/v1/tools/echo"):
        response = client.post(url, params={"access_token": reader_token}, json=body, headers=headers)
        assert_no_credentials(response, stack)


@pytest.mark.requirement("RFC6750-2", "RFC6750-3.1-REQUEST")
def test_a_token_in_the_url_and_in_the_header_is_one_too_many(stack: Stack, reader_token: str) -> None:
    body, headers = message("tools/list")
    response = client.post(
        stack.mcp_url,
        params={"access_token": reader_token},
        json=body,
        headers=headers | bearer(reader_token),
        timeout=30,
    )
    assert (response.status_code, challenge(response)["error"]) == (400, "invalid_request")


@pytest.mark.requirement("RFC6750-2", "RFC6750-3.1-REQUEST")
@pytest.mark.parametrize("order", ["good bad", "bad good", "good good", "basic good", "good basic"])
def test_two_authorization_headers_are_one_too_many(stack: Stack, reader_token: str, order: str) -> None:
    values = {"good": f"Bearer {reader_token}", "bad": "Bearer x.y.z", "basic": "Basic eDp5"}
    body, headers = message("tools/list")
    pairs = [*headers.items(), *(("Authorization", values[name]) for name in order.split())]
    response = client.post(stack.mcp_url, json=body, headers=pairs)
    assert (response.status_code, challenge(response)["error"]) == (400, "invalid_request")


@pytest.mark.requirement("RFC6750-3.1-TOKEN", "MCP-R12")
def test_what_is_no_token_at_all_is_an_invalid_token(stack: Stack, service: Service) -> None:
    for text in ("x", "x.y.z", "-", "a" * 7000, "\x7f"):
        response = service.use("echo", {"text": "x"}, headers={"Authorization": f"Bearer {text}"})
        if text == "\x7f":
            assert response.status_code in {400, 401}
        else:
            assert_invalid_token(response, stack)


@pytest.mark.requirement("MCP-R12")
@pytest.mark.parametrize(
    "raw", [b"Bearer ", b"Bearer \xff\xfe", b"Bearer caf\xc3\xa9", b"Bearer a\x00b", b"\xff", b"Bearer x\r\n y"]
)
def test_bytes_that_are_no_text_never_break_the_service(stack: Stack, raw: bytes) -> None:
    status, _ = exchange(stack.mcp_url, b"Authorization: " + raw)
    assert status in {400, 401}


@pytest.mark.requirement("MCP-R13")
def test_a_second_request_on_the_same_connection_is_judged_by_itself(stack: Stack, reader_token: str) -> None:
    body, headers = message("tools/list")
    with client.Client() as connection:
        assert connection.post(stack.mcp_url, json=body, headers=headers | bearer(reader_token)).status_code == 200
        assert_no_credentials(connection.post(stack.mcp_url, json=body, headers=headers), stack)


@pytest.mark.requirement("DENY-BY-DEFAULT", "MCP-R20")
@pytest.mark.parametrize("path", NOT_PUBLIC)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "HEAD"])
def test_no_path_but_the_public_ones_answers_a_stranger(stack: Stack, path: str, method: str) -> None:
    status, text = exchange(stack.public_url + path, b"", method=method)
    assert status in {400, 401, 404, 405, 421}, text
    assert "tools" not in text.partition("\r\n\r\n")[2].replace("api/v1/tools", "")


@pytest.mark.requirement("OPS-REQUEST-ID")
@ENTRANCES
def test_the_request_id_comes_back(service: Service, reader_token: str, entrance: str) -> None:
    def ask(request_id: str | None, token: str | None) -> str:
        headers = {"X-Request-ID": request_id} if request_id else {}
        return service.use("echo", {"text": "x"}, token, entrance=entrance, headers=headers).headers["x-request-id"]

    for token in (reader_token, None):
        assert ask("abc-123", token) == "abc-123"
        first, second = ask(None, token), ask(None, token)
        assert first
        assert first != second
        assert ask("x" * 5000, token) != "x" * 5000
        assert "<" not in ask("<script>", token)


@pytest.mark.requirement("OPS-REQUEST-ID")
def test_a_refusal_names_its_request(service: Service) -> None:
    response = service.use("echo", {"text": "x"}, entrance="rest", headers={"X-Request-ID": "abc-123"})
    assert response.json()["request_id"] == "abc-123"
