"""Keycloak away when the service starts: alive, not ready, 503; ready by itself once Keycloak is there. Never a 401."""

import httpx
import pytest

from tests.support.http import Service, text_of
from tests.support.realm import Stack
from tests.support.relay import Relay
from tests.support.until import until
from tests.support.verdict import assert_cannot_judge, assert_invalid_token, assert_no_credentials

pytestmark = pytest.mark.requirement("OPS-OUTAGE")


@pytest.fixture
def relay(stack: Stack):
    relay = Relay(httpx.URL(stack.keycloak_url).port)
    yield relay
    relay.off()


def internal_url(stack: Stack, relay: Relay) -> str:
    """Return the issuer as the service reaches it through the relay."""
    return f"http://127.0.0.1:{relay.port}/realms/{stack.name}"


def test_the_service_waits_for_keycloak(stack: Stack, relay: Relay, start_service, reader_token: str) -> None:
    with start_service(SECURE_MCP_ISSUER_INTERNAL_URL=internal_url(stack, relay)) as service:
        until(lambda: _status(service, "/livez") == 200, 30, "the service to be alive")
        assert _status(service, "/readyz") == 503
        for entrance in ("mcp", "rest"):
            assert_cannot_judge(service.use("echo", {"text": "x"}, reader_token, entrance=entrance))
        assert service.use("echo", {"text": "x"}).status_code == 401, "without credentials there is nothing to judge"
        relay.on()
        until(lambda: _status(service, "/readyz") == 200, 20, "the service to be ready")
        assert text_of(service.use("echo", {"text": "x"}, reader_token)) == "x"


def test_a_service_that_has_keys_outlives_keycloak(
    stack: Stack, relay: Relay, start_service, reader_token: str
) -> None:
    relay.on()
    with start_service(SECURE_MCP_ISSUER_INTERNAL_URL=internal_url(stack, relay)) as service:
        until(lambda: _status(service, "/readyz") == 200, 30, "the service to be ready")
        relay.off()
        assert text_of(service.use("echo", {"text": "x"}, reader_token)) == "x"
        assert _status(service, "/readyz") == 200
        assert service.use("echo", {"text": "x"}).status_code == 401


def test_health_needs_no_token_and_tells_no_secret(stack: Stack, service: Service) -> None:
    for path in ("/livez", "/readyz", "/version"):
        response = service.get(path)
        assert response.status_code == 200
        assert not [name for name, secret in stack.secrets.items() if secret in response.text]
    assert_no_credentials(service.get("/api/v1/tools"), stack)
    assert_invalid_token(service.get("/api/v1/tools", token="x.y.z"), stack)


def _status(service: Service, path: str) -> int | None:
    try:
        return service.get(path).status_code
    except httpx.ConnectError:
        return None
