"""ops.downgrade: an older Keycloak is not started on the database of a newer one, whichever way the stack runs."""

import pytest

from ops.containers import up
from ops.containers.environment import load_stack_environment
from ops.containers.images import KEYCLOAK_VERSION
from ops.downgrade import refuse_downgrade
from ops.errors import OperatorError


@pytest.mark.parametrize("there", ["", "26.7.4", "26.6.4", "25.10.9", "9.0.0"])
def test_the_same_and_an_older_one_are_taken_over(there: str) -> None:
    refuse_downgrade(there, "26.7.4", "Go back.")


@pytest.mark.parametrize("there", ["26.7.5", "26.10.0", "27.0.0", "100.0"])
def test_a_newer_one_is_left_alone(there: str) -> None:
    with pytest.raises(OperatorError, match=rf"one of Keycloak {there}; this release has 26.7.4. Go back."):
        refuse_downgrade(there, "26.7.4", "Go back.")


def test_up_looks_at_the_container_before_it_touches_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(up, "find_engine", lambda: None)
    monkeypatch.setattr(up, "check_engine", lambda _: None)
    monkeypatch.setattr(up, "exists", lambda kind, name: asked.append(f"{kind} {name}") or True)
    monkeypatch.setattr(up, "docker", lambda *_: b"99.0.0\n")
    with pytest.raises(OperatorError, match=rf"Keycloak 99.0.0; this release has {KEYCLOAK_VERSION}.*backup"):
        up.prepare(load_stack_environment())
    assert asked == ["container secure-mcp-dev-keycloak"]
