"""One real Keycloak with the realm of the lock file, and the service that runs against it, for the whole run."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ops.admin import AdminClient
from ops.keycloak import BOOTSTRAP_CLIENT, KeycloakServer, ensure_distribution, make_instance
from ops.realm import LOCK, import_values, render_lock
from ops.secrets import ACCOUNTS
from ops.service import ServiceProcess
from service.contract import Contract, load_contract
from tests.support.http import Service
from tests.support.realm import Realm, Stack
from tests.support.relay import free_port
from tests.support.secrecy import Secrets, secrets_in

STARTS_WITHIN_S = 240  # two slow cores, a cold disk


def realm_values(public_url: str, client_secrets: dict[str, str]) -> dict[str, str]:
    """Return the environment that the lock file's placeholders are resolved from."""
    return import_values(public_url, "external", "dev", client_secrets)


@pytest.fixture(scope="session")
def contract() -> Contract:
    return load_contract()


@pytest.fixture(scope="session")
def client_secrets(contract: Contract) -> dict[str, str]:
    """A fresh secret of every client that has one."""
    confidential = [client_id for client_id, client in contract.clients.items() if client.kind != "public"]
    return Secrets({client_id: secrets.token_urlsafe(32) for client_id in [*confidential, *ACCOUNTS]})


@pytest.fixture(scope="session")
def public_url() -> str:
    return f"http://localhost:{free_port()}"


@pytest.fixture(scope="session")
def admin_secret() -> str:
    return secrets.token_urlsafe(32)


@pytest.fixture(scope="session")
def keycloak(
    tmp_path_factory: pytest.TempPathFactory, public_url: str, client_secrets: dict[str, str], admin_secret: str
) -> Iterator[KeycloakServer]:
    """A running Keycloak that imported the lock file by itself, placeholders and all."""
    folder = tmp_path_factory.mktemp("keycloak")
    make_instance(ensure_distribution(), folder / "keycloak")
    env = realm_values(public_url, client_secrets)
    server = KeycloakServer(folder / "keycloak", free_port(), free_port(), admin_secret, env)
    server.start(LOCK)
    try:
        server.wait_ready(STARTS_WITHIN_S)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def admin(keycloak: KeycloakServer, admin_secret: str) -> Iterator[AdminClient]:
    """The bootstrap service account of the master realm."""
    with AdminClient(keycloak.url, "master", BOOTSTRAP_CLIENT, admin_secret) as client:
        yield client


ServiceStarter = Callable[..., AbstractContextManager[Service]]


@pytest.fixture(scope="session")
def start_service(
    keycloak: KeycloakServer, tmp_path_factory: pytest.TempPathFactory, public_url: str, client_secrets: dict[str, str]
) -> ServiceStarter:
    """Start another service process against the realm; variables given by name replace the usual ones."""

    @contextmanager
    def start(log: Path | None = None, **variables: str) -> Iterator[Service]:
        port = variables.pop("SECURE_MCP_PORT", None) or str(free_port())
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SECURE_MCP_")}
        usual = {
            "SECURE_MCP_AUDIENCE": f"{public_url}/mcp",
            "SECURE_MCP_ISSUER": f"{keycloak.url}/realms/mcp-realm",
            "SECURE_MCP_CLIENT_SECRET": client_secrets["mcp-server"],
            "SECURE_MCP_PORT": port,
        }
        log = log or tmp_path_factory.mktemp("service") / "service.log"
        process = ServiceProcess(inherited | usual | variables, log)
        process.start()
        try:
            yield Service(f"http://localhost:{port}", process)
        finally:
            process.stop()

    return start


@pytest.fixture(scope="session")
def stack(
    keycloak: KeycloakServer,
    admin: AdminClient,
    start_service: ServiceStarter,
    public_url: str,
    client_secrets: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """The realm and the service, running. At the end no log may hold a token or a secret."""
    log = tmp_path_factory.mktemp("stack") / "service.log"
    with start_service(log, SECURE_MCP_PORT=public_url.rpartition(":")[2]) as service:
        service.process.wait_ready(60)
        stack = Stack(keycloak.url, admin, Secrets(client_secrets), public_url=public_url, service_log=log)
        stack.keycloak_log = keycloak.home.parent / "keycloak.log"
        yield stack
    leaks = secrets_in(stack, log)
    assert not leaks, f"{log} holds {leaks}"


@pytest.fixture(scope="session")
def service(stack: Stack) -> Service:
    return Service(stack.public_url)


@pytest.fixture(scope="session")
def strict_service(start_service: ServiceStarter) -> Iterator[Service]:
    """A service that allows no difference between clocks."""
    with start_service(SECURE_MCP_LEEWAY_SECONDS="0") as service:
        service.process.wait_ready(60)
        yield service


@pytest.fixture(scope="session")
def twin(
    admin: AdminClient, keycloak: KeycloakServer, public_url: str, client_secrets: dict[str, str]
) -> Iterator[Realm]:
    """The same lock file under another realm's name, in the same Keycloak."""
    twin = Realm(keycloak.url, admin, Secrets(client_secrets), name="twin-realm")
    admin.post("", json=render_lock(realm_values(public_url, client_secrets), twin.name))
    yield twin
    admin.delete(f"/{twin.name}")
