"""Keycloak reaches the service inside the stack to tell it that a session ended; what follows is the realm tier's."""

import pytest

from ops.admin import AdminClient
from ops.containers.up import SERVICE_URL
from ops.environment import REALM
from tests.stack.conftest import RunningStack

pytestmark = pytest.mark.requirement("OPS-REVOCATION")

POST = (
    r"exec 3<>/dev/tcp/service/8000; printf 'POST /backchannel-logout HTTP/1.1\r\nHost: service:8000\r\n"
    r"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 18\r\nConnection: close\r\n\r\n"
    r"logout_token=a.b.c' >&3; head -1 <&3"
)


def test_keycloak_is_told_the_address_inside_the_stack(stack: RunningStack) -> None:
    login = ("terraform", stack.secret("terraform"))
    with AdminClient(stack.environment.operator_url, REALM, *login) as admin:
        for client_id in ("mcp-cli", "mcp-console"):
            attributes = admin.get(f"/{REALM}/clients", clientId=client_id)[0]["attributes"]
            assert attributes["backchannel.logout.url"] == f"{SERVICE_URL}/backchannel-logout"


def test_the_service_judges_what_keycloak_sends_there(stack: RunningStack) -> None:
    answer = stack.shell("keycloak", POST)
    assert answer.stdout.startswith("HTTP/1.1 400"), answer
