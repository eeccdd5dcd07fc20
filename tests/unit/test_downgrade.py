"""ops.downgrade: an older Keycloak is not started on the database of a newer one, whichever way the stack runs."""

import json
from pathlib import Path

import pytest

from ops.containers import up
from ops.containers.environment import load_stack_environment
from ops.containers.images import KEYCLOAK_VERSION
from ops.downgrade import refuse_downgrade
from ops.errors import OperatorError
from ops.swarm import up as swarm_up


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


@pytest.mark.parametrize(
    ("there", "declared", "refused"),
    [
        ("registry.test:5000/secure-mcp/keycloak:26.7.5-0123456789ab@sha256:00", "26.7.4-0f", True),
        ("registry.test:5000/secure-mcp/keycloak:26.7.4-9123456789ab@sha256:00", "26.7.4-0f", False),
        ("registry.test:5000/secure-mcp/keycloak:99aa@sha256:00", "26.7.4-0f", False),
        ("registry.test:5000/secure-mcp/keycloak:26.7.5-0123456789ab@sha256:00", "ours", False),
    ],
)
def test_swarm_up_looks_at_the_service_before_it_touches_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: str, declared: str, refused: bool
) -> None:
    class Untouched(Exception):
        """What comes after the checks has begun."""

    def secrets(*_: object) -> None:
        raise Untouched

    values = {"topology": "swarm", "keycloak_image": f"secure-mcp/keycloak:{declared}"}
    monkeypatch.setenv("SECURE_MCP_STATE_DIR", str(tmp_path))
    (tmp_path / "docker.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    monkeypatch.setattr(swarm_up, "find_nodes", list)
    monkeypatch.setattr(swarm_up, "check_nodes", lambda *_: None)
    monkeypatch.setattr(swarm_up, "exists", lambda kind, name: (kind, name) == ("service", "secure-mcp-dev-keycloak"))
    monkeypatch.setattr(swarm_up, "docker", lambda *_: there.encode())
    monkeypatch.setattr(swarm_up, "make_secrets", secrets)
    with pytest.raises(OperatorError if refused else Untouched, match=r"Keycloak 26.7.5.*backup" if refused else None):
        swarm_up.prepare(load_stack_environment())
