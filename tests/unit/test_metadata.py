"""Protected resource metadata, and who may ask: Host, Origin, CORS."""

import httpx
import pytest

from tests.unit.tokens import METADATA_URL, bearer, make_settings, rpc, send

PATHS = ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"]
ENDPOINTS = ["/mcp", "/api/v1/tools", "/api/v1/tools/echo"]
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, mcp-protocol-version, mcp-param-region, x-evil",
}


@pytest.mark.parametrize("path", PATHS)
def test_the_document(path: str) -> None:
    answer = send("GET", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.json() == {
        "resource": "http://localhost:8000/mcp",
        "authorization_servers": ["http://localhost:8080/realms/mcp-realm"],
        "scopes_supported": ["mcp:read"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Secure MCP",
        "resource_documentation": "http://localhost:8000/docs",
        "introspection_endpoint": ("http://localhost:8080/realms/mcp-realm/protocol/openid-connect/token/introspect"),
    }


def test_it_stands_where_the_challenge_says() -> None:
    assert (
        send("GET", "/mcp").headers["www-authenticate"]
        == f'Bearer resource_metadata="{METADATA_URL}", scope="mcp:read"'
    )
    assert send("GET", METADATA_URL).json()["resource"] == make_settings().audience


def test_it_follows_the_audience() -> None:
    settings = {"audience": "https://mcp.example.com/v1/mcp", "issuer": "https://id.example.com/realms/r"}
    headers = {"Host": "mcp.example.com"}
    path = "/.well-known/oauth-protected-resource/v1/mcp"
    answer = send("GET", path, settings=settings, headers=headers)
    assert answer.json()["resource"] == "https://mcp.example.com/v1/mcp"
    challenge = send("POST", "/v1/mcp", settings=settings, headers=headers).headers["www-authenticate"]
    assert f'resource_metadata="https://mcp.example.com{path}"' in challenge


def test_it_is_not_sent_twice() -> None:
    etag = send("GET", PATHS[0]).headers["etag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        answer = send("GET", PATHS[0], headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert send("GET", PATHS[0], headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_has_no_body_and_post_is_refused() -> None:
    assert send("HEAD", PATHS[0]).status_code == 200
    assert send("POST", PATHS[0]).status_code == 405


@pytest.mark.parametrize("origin", ["https://anywhere.example", "null"])
def test_a_page_of_any_origin_may_read_it(origin: str) -> None:
    answer = send("GET", PATHS[0], headers={"Origin": origin})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    answer = send("OPTIONS", PATHS[0], headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")


def post(headers: dict[str, str], path: str = "/mcp", **settings: object) -> httpx.Response:
    request = {"Accept": "application/json", **bearer(), **headers}
    return send("POST", path, json=rpc("ping"), headers=request, settings=settings)


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST:8000", "127.0.0.1:9999", "[::1]:8000", "localhost"])
def test_own_hosts_are_served(host: str) -> None:
    assert post({"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/mcp", "/livez", "/docs", *PATHS])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example:8000", "127.0.0.1.evil.example", "8.8.8.8"]
)
def test_foreign_hosts_are_refused(host: str, path: str) -> None:
    answer = send("GET", path, headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]) == (421, "foreign_host")


@pytest.mark.parametrize("host", ["", "a b", "evil/mcp?", "user@localhost", "localhost:8000:1", "localhost:x", "[::1"])
def test_hosts_that_are_none_are_refused(host: str) -> None:
    assert send("GET", "/livez", headers={"Host": host}).status_code == 400


def test_two_hosts_are_refused() -> None:
    assert send("GET", "/livez", headers=[("Host", "localhost:8000"), ("Host", "localhost:8000")]).status_code == 400


def test_a_public_host_is_served_with_its_port_only() -> None:
    settings = {"audience": "https://mcp.example.com/mcp", "issuer": "https://id.example.com/realms/r"}
    for host, status in {"mcp.example.com": 200, "mcp.example.com:443": 200, "mcp.example.com:8443": 421}.items():
        assert send("GET", "/livez", headers={"Host": host}, settings=settings).status_code == status, host


@pytest.mark.parametrize("origin", ["http://localhost:8000", "https://console.example.com"])
@pytest.mark.parametrize("path", ENDPOINTS)
def test_declared_origins_may_call_and_read(path: str, origin: str) -> None:
    settings = {"cors_origins": ("https://console.example.com",)}
    answer = send("POST", path, headers={"Origin": origin}, settings=settings)
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "Origin"
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
    answer = send("OPTIONS", path, headers={"Origin": origin, **PREFLIGHT}, settings=settings)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert allowed == ["authorization", "content-type", "mcp-param-region", "mcp-protocol-version"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost:8001",
        "https://localhost:8000",
        "http://localhost:8000/",
        "",
        "*",
    ],
)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_other_origins_are_refused(path: str, origin: str) -> None:
    for method, extra in {"POST": bearer(), "OPTIONS": PREFLIGHT}.items():
        answer = send(method, path, headers={"Origin": origin, **extra})
        assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
        assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_this_machine_under_its_other_name_is_the_same_origin() -> None:
    assert post({"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000"}).status_code == 200
    assert post({"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8001"}).status_code == 403


def test_two_origins_are_refused() -> None:
    headers = [("Origin", "http://localhost:8000"), ("Origin", "https://evil.example")]
    assert send("POST", "/mcp", headers=headers).status_code == 403


def test_other_servers_may_call_the_logout_by_their_own_name_for_this_one() -> None:
    answer = send("POST", "/backchannel-logout", headers={"Host": "service:8000"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    page = send("POST", "/backchannel-logout", headers={"Host": "service:8000", "Origin": "http://service:8000"})
    assert (page.status_code, page.json()["error"]) == (421, "foreign_host")


@pytest.mark.parametrize(
    ("headers", "status", "error", "words"),
    [
        ({"Host": "a b"}, 400, "bad_host", "Send exactly one Host header with a host name"),
        ({"Host": "x.example"}, 421, "foreign_host", "This server does not answer for that host; use its public URL"),
        (
            {"Origin": "https://x.example"},
            403,
            "foreign_origin",
            "This origin may not call; add it to SECURE_MCP_CORS_ORIGINS",
        ),
    ],
)
def test_whom_the_gate_refuses_is_told_what_to_do(headers: dict[str, str], status: int, error: str, words: str) -> None:
    answer = send("POST", "/mcp", headers=headers)
    found = answer.json()
    assert (answer.status_code, found["error"], found["error_description"]) == (status, error, words)
