"""What every unit test needs."""

from collections.abc import Iterator

import pytest

from service.telemetry.outlet import flush_all


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Iterator[None]:
    """Let a thread of the log write what the test caused while its output is still captured."""
    try:
        return (yield)
    finally:
        assert flush_all()
