"""The ground of tests/faults under fewer calls a second, which a busy machine of CI keeps up with as well."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults import conftest as faults
from tests.faults.ground import AuthorizationServer, Ground, ground

RATE = 30  # calls a second

authorization_server = faults.authorization_server
drill = faults.drill
redis_port = faults.redis_port
redis_url = faults.redis_url
store = faults.store
well = faults.well


@pytest.fixture(scope="module")
def place(
    authorization_server: AuthorizationServer, redis_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """One service and edge for all; a drill leaves them healthy."""
    with ground(authorization_server, redis_port, tmp_path_factory.mktemp("ground")) as running:
        yield replace(running, rate=RATE)
