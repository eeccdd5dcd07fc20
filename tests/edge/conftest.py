"""The same realm and service behind the real Nginx: the tests of realm/ and protocol/ run a second time through it.

Each fixture of support/ that leads to a stack is made anew here, for pytest would hand out the one that it made first.
What the Keycloak of the whole run is made from (public_url, client_secrets) is not: who comes first would decide for
all.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ops.admin import AdminClient
from ops.keycloak import KeycloakServer
from ops.realm import render_lock
from tests.support import client, fixtures_people
from tests.support.edge import Edge, edge
from tests.support.fixtures import ServiceStarter, realm_values
from tests.support.http import Service
from tests.support.realm import Realm, Stack
from tests.support.registration import opened
from tests.support.relay import free_port
from tests.support.secrecy import Secrets, secrets_in

REALM = "edge-wire"
# Many people at one address: the limits themselves are the subject of others (security/, stack/).
NO_LIMITS = {"rate_mcp": "500r/s", "rate_token": "500r/s", "rate_login": "500r/s", "rate_registration": "500r/s"}

automation_token = fixtures_people.automation_token
browser = fixtures_people.browser
changed_client = fixtures_people.changed_client
leaky_audience = fixtures_people.leaky_audience
log_in = fixtures_people.log_in
new_browser = fixtures_people.new_browser
person = fixtures_people.person
reader_token = fixtures_people.reader_token
redirect_uris = fixtures_people.redirect_uris
scratch_client = fixtures_people.scratch_client


@pytest.fixture(scope="session")
def ports() -> tuple[int, int]:
    """Of the MCP service and of Keycloak, as the world sees them."""
    return free_port(), free_port()


@pytest.fixture(scope="session")
def stack(
    keycloak: KeycloakServer,
    admin: AdminClient,
    start_service: ServiceStarter,
    ports: tuple[int, int],
    client_secrets: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A realm whose frontend URL is the edge's, a service that takes no other issuer, and Nginx before both."""
    folder = tmp_path_factory.mktemp("edge")
    stack = Stack(
        f"https://localhost:{ports[1]}", admin, Secrets(client_secrets), REALM, public_url=f"https://localhost:{ports[0]}",
        service_log=folder / "service.log", keycloak_log=keycloak.home.parent / "keycloak.log",
    )  # fmt: skip
    with declared(admin, stack, client_secrets):
        internal = f"{keycloak.url}/realms/{REALM}"
        settings = {"SECURE_MCP_AUDIENCE": stack.mcp_url, "SECURE_MCP_ISSUER": stack.issuer}
        settings |= {"SECURE_MCP_ISSUER_INTERNAL_URL": internal, "SECURE_MCP_LEEWAY_SECONDS": "0"}
        with start_service(stack.service_log, **settings) as service:
            assert service.process is not None
            service.process.wait_ready(180)
            with front_of(folder / "nginx", ports, service, keycloak) as front:
                client.TRUST.load_verify_locations(str(front.folder / "tls.crt"))
                yield stack
    leaks = secrets_in(stack, stack.service_log, front.log, front.errors)
    assert not leaks, f"the logs in {folder} hold {leaks}"


@contextmanager
def declared(admin: AdminClient, realm: Stack, client_secrets: dict[str, str]) -> Iterator[None]:
    """Make the realm of the lock file for this realm's addresses, with registration open to loopback clients."""
    document = opened(render_lock(realm_values(realm.public_url, client_secrets), realm.name))
    document["attributes"]["frontendUrl"] = realm.keycloak_url
    admin.post("", json=document)
    try:
        yield
    finally:
        admin.delete(f"/{realm.name}")


def front_of(
    folder: Path, ports: tuple[int, int], service: Service, keycloak: KeycloakServer
) -> AbstractContextManager[Edge]:
    """Run Nginx before the service at one port, and before Keycloak at the other."""
    values = {
        "auth_authority": f"localhost:{ports[1]}",
        "auth_host": "localhost",
        "auth_listens": f"listen 127.0.0.1:{ports[1]} ssl http2;",
        "auth_port": str(ports[1]),
        "keycloak_address": f"127.0.0.1:{keycloak.port}",
        "realm": REALM,
    }
    return edge(folder, ports[0], int(service.url.rpartition(":")[2]), **values, **NO_LIMITS)


@pytest.fixture(scope="session")
def edge_log(stack: Stack) -> Path:
    """The access log of Nginx; its errors stand beside it."""
    return stack.service_log.with_name("nginx") / "access.log"


@pytest.fixture(scope="session")
def service(stack: Stack) -> Service:
    return Service(stack.public_url)


@pytest.fixture(scope="session")
def strict_service(service: Service) -> Service:
    """The one of this folder allows no difference between clocks."""
    return service


@pytest.fixture(scope="session")
def twin(stack: Stack, admin: AdminClient, keycloak: KeycloakServer, client_secrets: dict[str, str]) -> Iterator[Realm]:
    """The same realm under another name; asked directly, for the edge lets one realm through."""
    twin = Stack(keycloak.url, admin, Secrets(client_secrets), "edge-twin", public_url=stack.public_url)
    with declared(admin, twin, client_secrets):
        yield twin
