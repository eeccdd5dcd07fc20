"""The edge over https: redirects, headers, the paths that are open and those that are not, limits."""

import socket
import ssl

import httpx
import pytest

from ops.containers.engine import docker
from ops.environment import REALM
from tests.stack.conftest import RunningStack
from tests.support.until import until

SECURITY_HEADERS = (
    "strict-transport-security",
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
)
ALLOWED = (
    f"/realms/{REALM}/.well-known/openid-configuration",
    f"/.well-known/oauth-authorization-server/realms/{REALM}",
    f"/realms/{REALM}/protocol/openid-connect/certs",
)
CLOSED = (
    "/",
    "/admin/",
    f"/admin/realms/{REALM}",
    "/realms/master/",
    "/realms/master/.well-known/openid-configuration",
    "/realms/master/protocol/openid-connect/token",
    "/.well-known/oauth-authorization-server/realms/master",
    "/metrics",
    "/health",
    "/health/ready",
    f"/realms/{REALM}/clients-registrations/default",
    f"/realms/{REALM}/clients-registrations/saml2-entity-descriptor",
    f"/realms/{REALM}/../master/",
    f"/realms/{REALM}/%2e%2e/master/",
    f"/realms/{REALM}/..%2fmaster/",
    f"/realms/{REALM}/..;/master/",
    f"/realms/{REALM}/%2e%2e;/%2e%2e;/admin/",
    f"//realms/{REALM}/../../admin/",
    "/resources/../admin/",
    "/resources/..;/admin/",
    "/resources/%2e%2e/realms/master/",
)


def once(response: httpx.Response) -> dict[str, int]:
    names = [name.decode().lower() for name, _ in response.headers.raw]
    return {name: names.count(name) for name in SECURITY_HEADERS if names.count(name) != 1}


def raw(stack: RunningStack, origin: str, path: str) -> int:
    """Send a path as it is written and return the status."""

    host, port = origin.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=str(stack.authority))
    with (
        socket.create_connection((host, int(port)), 20) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
        connection.makefile("rb") as answer,
    ):
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        return int(answer.readline().split()[1])


@pytest.mark.requirement("STACK-EDGE")
def test_plain_http_is_redirected(stack: RunningStack) -> None:
    answer = httpx.get(f"http://localhost:{stack.http_port}/mcp?x=1", trust_env=False)
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{stack.environment.public_url}/mcp?x=1"


@pytest.mark.requirement("STACK-EDGE")
def test_a_strange_name_gets_no_answer(stack: RunningStack) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://localhost:{stack.http_port}/", headers={"Host": "stranger.example"}, trust_env=False)
    context = ssl.create_default_context(cafile=str(stack.authority))
    context.check_hostname = False

    port = int(stack.environment.public_url.rsplit(":", 1)[1])
    with socket.create_connection(("localhost", port), 20) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="stranger.example")


@pytest.mark.requirement("STACK-HEADERS")
def test_each_security_header_once_on_answers(stack: RunningStack, https: httpx.Client) -> None:
    public, auth = stack.environment.public_url, stack.environment.keycloak_url
    asked = {
        (200, f"{public}/"),
        (200, f"{public}/docs"),
        (200, f"{public}/version"),
        (200, f"{public}/.well-known/oauth-protected-resource/mcp"),
        (401, f"{public}/api/v1/tools"),
        (404, f"{public}/nothing"),
        (200, f"{auth}{ALLOWED[0]}"),
        (400, f"{auth}/realms/{REALM}/protocol/openid-connect/auth"),
        (404, f"{auth}/nothing"),
    }
    for status, url in sorted(asked):
        answer = https.get(url)
        assert (answer.status_code, once(answer)) == (status, {}), url
        assert "server" not in answer.headers or "/" not in answer.headers["server"]


@pytest.mark.requirement("STACK-HEADERS")
def test_each_security_header_once_when_the_upstream_is_gone(stack: RunningStack, https: httpx.Client) -> None:
    docker("stop", "--time=35", stack.container("service"))
    try:
        answer = https.get(f"{stack.environment.public_url}/version")
        assert answer.status_code in {502, 504}
        assert once(answer) == {}
        assert answer.headers["Retry-After"] == "5"
        assert answer.json()["error"] == "temporarily_unavailable"
    finally:
        docker("start", stack.container("service"))
        until(lambda: stack.healthy("service"), 120, "the service is healthy again")


@pytest.mark.requirement("STACK-EDGE")
@pytest.mark.parametrize("path", ALLOWED)
def test_what_clients_need_is_open(stack: RunningStack, path: str) -> None:
    assert raw(stack, stack.environment.keycloak_url, path) == 200


@pytest.mark.requirement("STACK-EDGE")
@pytest.mark.parametrize("path", CLOSED)
def test_everything_else_of_keycloak_is_closed(stack: RunningStack, path: str) -> None:
    assert raw(stack, stack.environment.keycloak_url, path) in {400, 404}


@pytest.mark.requirement("STACK-EDGE")
def test_the_operators_door_leads_to_the_administration(stack: RunningStack, https: httpx.Client) -> None:
    assert (
        https.get(f"{stack.environment.operator_url}/realms/master/.well-known/openid-configuration").status_code == 200
    )


@pytest.mark.requirement("STACK-EDGE")
def test_forwarded_headers_of_a_client_count_for_nothing(stack: RunningStack, https: httpx.Client) -> None:
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.9",
            "Forwarded": "host=evil.example;proto=http", "X-Forwarded-Port": "1"}  # fmt: skip
    document = https.get(
        f"{stack.environment.keycloak_url}/realms/{REALM}/.well-known/uma2-configuration", headers=lies
    )
    assert "evil.example" not in document.text
    assert stack.environment.keycloak_url in document.text
    assert "203.0.113.9" not in docker("logs", "--tail=50", stack.container("edge")).decode()


@pytest.mark.requirement("STACK-EDGE")
def test_too_many_registrations_are_told_to_wait(stack: RunningStack, https: httpx.Client) -> None:
    url = f"{stack.environment.keycloak_url}/realms/{REALM}/clients-registrations/openid-connect"
    answers = [https.post(url, json={}) for _ in range(12)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert all(answer.headers.get_list("Retry-After") == ["1"] for answer in limited)
    assert {answer.status_code for answer in answers} <= {401, 403, 400, 429}


@pytest.mark.requirement("STACK-EDGE")
def test_a_body_beyond_the_limit_is_refused(stack: RunningStack, https: httpx.Client) -> None:
    answer = https.post(f"{stack.environment.public_url}/mcp", content=b"x" * (4 * 2**20 + 1))
    assert answer.status_code == 413
    assert answer.json()["error"] == "request_too_large"
