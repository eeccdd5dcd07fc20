"""One Keycloak and one Redis that drills may break; a ground that most of them share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import redis

from ops.keycloak import ensure_distribution
from tests.faults.authorization import AuthorizationServer, authorization
from tests.faults.conftest_database import database, on_postgres, over_postgres
from tests.faults.drills import Drill, load_drills
from tests.faults.ground import Ground, ground
from tests.support.redis_server import redis_server

__all__ = ["database", "on_postgres", "over_postgres"]

Measure = Callable[[str], Drill]


@pytest.fixture
def drill(request: pytest.FixtureRequest) -> Measure:
    """Begin a drill by its id in drills.yaml."""
    return lambda id_: Drill(load_drills()[id_], request.node.user_properties)


@pytest.fixture(scope="session")
def authorization_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthorizationServer]:
    """A Keycloak that no other tier uses, so that it may die."""
    with authorization(tmp_path_factory.mktemp("mortal"), ensure_distribution()) as running:
        yield running


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
