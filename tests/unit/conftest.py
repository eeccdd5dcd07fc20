"""What every unit test needs."""

from collections.abc import Iterator

import pytest

from service.telemetry.outlet import flush_all


@pytest.fixture(autouse=True)
def own_lines() -> Iterator[None]:
    """Let no line of the log come out in a later test: a thread writes them."""
    yield
    assert flush_all()
