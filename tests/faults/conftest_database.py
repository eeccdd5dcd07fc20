"""A PostgreSQL that drills may break, and a Keycloak that is built for it."""

from collections.abc import Iterator

import pytest

from tests.faults.authorization import AuthorizationServer, authorization
from tests.faults.ground import Ground, ground
from tests.faults.keycloak_build import keycloak_for_postgres, settings_of_the_stack
from tests.support.postgres import Postgres, missing_postgres, postgres


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    """Skips where there is no PostgreSQL."""
    if missing := missing_postgres():
        pytest.skip(missing)
    with postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def on_postgres(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthorizationServer]:
    """A Keycloak with the stack's build, pool and ways of writing."""
    variables = {"KC_DB_URL": database.url, "KC_DB_USERNAME": "keycloak", "KC_DB_PASSWORD": database.password}
    variables |= settings_of_the_stack()
    with authorization(tmp_path_factory.mktemp("postgres"), keycloak_for_postgres(), variables) as running:
        yield running


@pytest.fixture(scope="module")
def over_postgres(
    on_postgres: AuthorizationServer, redis_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """Service and edge of a module; a drill leaves them and the database healthy."""
    with ground(on_postgres, redis_port, tmp_path_factory.mktemp("ground")) as running:
        yield running
