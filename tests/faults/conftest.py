"""One Keycloak and one Redis that drills may break; a ground that most of them share."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import redis

from ops.keycloak import KeycloakServer, ensure_distribution, make_instance
from ops.secrets import ACCOUNTS
from service.contract import load_contract
from tests.faults.drills import Drill, load_drills
from tests.faults.ground import AuthorizationServer, Ground, fresh_secrets, ground
from tests.support.fixtures import realm_values
from tests.support.redis_server import redis_server
from tests.support.relay import free_port

Measure = Callable[[str], Drill]


@pytest.fixture
def drill(request: pytest.FixtureRequest) -> Measure:
    """Begin a drill by its id in drills.yaml."""
    return lambda id_: Drill(load_drills()[id_], request.node.user_properties)


@pytest.fixture(scope="session")
def authorization_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthorizationServer]:
    """A Keycloak that no other tier uses, so that it may die."""
    folder = tmp_path_factory.mktemp("mortal")
    make_instance(ensure_distribution(), folder / "keycloak")
    confidential = [client_id for client_id, client in load_contract().clients.items() if client.kind != "public"]
    client_secrets = fresh_secrets([*confidential, *ACCOUNTS])
    public_url = f"https://localhost:{free_port()}"
    values = realm_values(public_url, client_secrets)
    admin_secret = secrets.token_urlsafe(32)
    server = KeycloakServer(folder / "keycloak", free_port(), free_port(), admin_secret, values)
    found = AuthorizationServer(server, client_secrets, admin_secret, public_url)
    found.start()
    try:
        found.wait()
        yield found
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_port(redis_url: str) -> int:
    port = httpx.URL(redis_url).port
    assert port
    return port


@pytest.fixture
def store(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the Redis, past the sick network; what it changed is taken back."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client
        client.config_set("maxmemory", 0)
        client.flushall()


@pytest.fixture(scope="module")
def place(
    authorization_server: AuthorizationServer, redis_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """Service and edge of a module; a drill leaves them healthy."""
    with ground(authorization_server, redis_port, tmp_path_factory.mktemp("ground")) as running:
        yield running


@pytest.fixture
def well(place: Ground) -> Iterator[Ground]:
    """The ground, with its network healthy again afterwards."""
    yield place
    place.to_keycloak.be("pass")
    place.to_redis.be("pass")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
