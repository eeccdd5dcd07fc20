"""Secrets are replaced one by one in the running stack."""

import pytest

from ops.containers.rotation import rotate
from ops.containers.secret_files import POSTGRES, POSTGRES_ADMIN, REDIS
from ops.errors import OperatorError
from ops.proof import prove
from tests.stack.conftest import RunningStack
from tests.support.until import until


@pytest.mark.requirement("STACK-ROTATION")
@pytest.mark.parametrize(
    ("name", "restarts"),
    [
        (REDIS, ("redis", "service")),
        (POSTGRES_ADMIN, ()),
        (POSTGRES, ("keycloak",)),
        ("mcp-server", ("service",)),
        ("mcp-automation", ()),
        ("terraform", ()),
    ],
)
def test_a_secret_is_replaced_and_everything_works(stack: RunningStack, name: str, restarts: tuple[str, ...]) -> None:
    old = stack.secret(name)
    assert rotate(stack.environment, name) == restarts
    assert stack.secret(name) != old
    for part in restarts:
        until(lambda part=part: stack.healthy(part), 240, f"{part} is healthy again")
    until(lambda: _proved(stack), 60, "the stack proves itself with the new secret")
    root = stack.realm_root()
    root.prepare()
    assert root.plan() is False


def _proved(stack: RunningStack) -> bool:
    try:
        return all(proof.holds for proof in prove(stack.environment))
    except OperatorError:
        return False
