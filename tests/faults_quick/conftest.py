"""The ground of tests/faults under fewer calls a second, which a busy machine of CI keeps up with as well.

Keycloak has its realm in PostgreSQL, as in the stack, where the machine has one; else in a file, and what breaks
PostgreSQL is skipped.
"""

from dataclasses import replace

import pytest

from tests.faults import conftest as faults
from tests.faults.authorization import AuthorizationServer
from tests.faults.ground import Ground
from tests.support.postgres import Postgres, missing_postgres

RATE = 30  # calls a second

database = faults.database
drill = faults.drill
on_a_file = faults.authorization_server
on_postgres = faults.on_postgres
redis_port = faults.redis_port
redis_url = faults.redis_url
store = faults.store
usual_place = faults.place
well = faults.well


@pytest.fixture(scope="session")
def authorization_server(request: pytest.FixtureRequest) -> AuthorizationServer:
    """One Keycloak for all drills."""
    found: AuthorizationServer = request.getfixturevalue("on_a_file" if missing_postgres() else "on_postgres")
    return found


@pytest.fixture(scope="module")
def place(usual_place: Ground) -> Ground:
    """One service and edge for all; a drill leaves them healthy."""
    return replace(usual_place, rate=RATE)


@pytest.fixture
def over_postgres(database: Postgres, place: Ground) -> Ground:
    """Skips where there is no PostgreSQL."""
    return place
