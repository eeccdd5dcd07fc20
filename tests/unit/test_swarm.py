"""What `secure-mcp swarm` refuses before anything is touched, and when it calls an update done."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.containers.environment import StackEnvironment
from ops.errors import ExitCode, OperatorError
from ops.swarm import convergence, secrets
from ops.swarm import nodes as nodes_module
from ops.swarm.nodes import DATA, EDGE, Node, check_nodes, require_data_node
from ops.swarm.values import add_values, read_values, require_swarm

pytestmark = pytest.mark.requirement("SWARM-UP")


@pytest.fixture
def environment(tmp_path: Path) -> StackEnvironment:
    return StackEnvironment("staging", tmp_path, 8000, 8080, 9000)


def nodes(*labels: str) -> list[Node]:
    return [Node(str(index), f"node{index}", True, frozenset(words.split())) for index, words in enumerate(labels)]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (nodes(EDGE, EDGE, EDGE), f"0 nodes have the label {DATA}"),
        (nodes(f"{DATA} {EDGE}", f"{DATA} {EDGE}", EDGE), f"2 nodes have the label {DATA}"),
        (nodes(f"{DATA} {EDGE}", EDGE, ""), f"2 nodes have the label {EDGE}, and 3 tasks"),
    ],
)
def test_labels_that_do_not_fit_are_refused(found: list[Node], words: str) -> None:
    with pytest.raises(OperatorError, match=words) as refused:
        check_nodes(found, 3)
    assert "docker node update" in refused.value.next_step


def test_labels_that_fit_are_not() -> None:
    check_nodes(nodes(f"{DATA} {EDGE}", EDGE, EDGE), 3)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (nodes(EDGE, f"{DATA} {EDGE}"), r"not the node of PostgreSQL \(node1\)"),
        (nodes(EDGE, EDGE), f"no node has the label {DATA}"),
        ([], f"no node has the label {DATA}"),
    ],
)
def test_another_node_than_that_of_postgresql_is_refused(
    monkeypatch: pytest.MonkeyPatch, found: list[Node], words: str
) -> None:
    monkeypatch.setattr(nodes_module, "docker", lambda *_: b"0\n")
    with pytest.raises(OperatorError, match=words):
        require_data_node(found)


def test_the_node_of_postgresql_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes_module, "docker", lambda *_: b"1\n")
    require_data_node(nodes(EDGE, DATA))


@pytest.mark.parametrize("content", [None, "{}", '{"topology": "containers"}'])
def test_an_environment_of_one_engine_is_refused(environment: StackEnvironment, content: str | None) -> None:
    if content is not None:
        (environment.state / "docker.tfvars.json").write_text(content)
    with pytest.raises(OperatorError, match="not for a Swarm") as refused:
        require_swarm(environment)
    assert '"topology": "swarm"' in refused.value.next_step


@pytest.mark.parametrize("content", ["{", "[]"])
def test_values_that_are_no_object_are_refused(environment: StackEnvironment, content: str) -> None:
    (environment.state / "docker.tfvars.json").write_text(content)
    with pytest.raises(OperatorError, match="JSON"):
        read_values(environment)


def test_values_are_added_and_the_others_stay(environment: StackEnvironment) -> None:
    add_values(environment, {"topology": "swarm", "registry": "a"})
    add_values(environment, {"registry": "b"})
    assert require_swarm(environment) == {"topology": "swarm", "registry": "b"}


def service(state: str | None) -> dict[str, Any]:
    status = {"UpdateStatus": {"State": state, "Message": "words", "StartedAt": "now"}} if state else {}
    return {"Spec": {"Name": "the-service", "Mode": {"Replicated": {"Replicas": 2}}}, **status}


def waits(
    monkeypatch: pytest.MonkeyPatch,
    environment: StackEnvironment,
    state: str | None,
    tasks: str,
    before: dict[str, str] | None = None,
) -> None:
    answers = {"inspect": json.dumps([service(state)]), "ps": tasks}
    monkeypatch.setattr(convergence, "docker", lambda _service, verb, *_: answers[verb].encode())
    convergence.await_services(environment, before or {}, deadline_s=0)


@pytest.mark.requirement("SWARM-ROLLBACK")
@pytest.mark.parametrize("state", ["paused", "rollback_completed", "rollback_paused"])
def test_an_update_that_went_back_is_no_success(
    monkeypatch: pytest.MonkeyPatch, environment: StackEnvironment, state: str
) -> None:
    with pytest.raises(OperatorError, match="update of the-service failed") as failed:
        waits(monkeypatch, environment, state, "Running 1 s ago\nRunning 2 s ago\n")
    assert failed.value.code == ExitCode.FINDINGS


def test_an_update_that_went_back_once_is_not_held_against_the_next(
    monkeypatch: pytest.MonkeyPatch, environment: StackEnvironment
) -> None:
    waits(monkeypatch, environment, "rollback_completed", "Running 1 s ago\nRunning 2 s ago\n", {"the-service": "now"})


@pytest.mark.parametrize(
    ("state", "tasks", "words"),
    [
        ("updating", "Running 1 s ago\nRunning 2 s ago\n", "is being updated"),
        ("rollback_started", "Running 1 s ago\nRunning 2 s ago\n", "is being updated"),
        (None, "Running 1 s ago\nStarting 2 s ago\n", "has 1 of 2 tasks"),
        ("completed", "", "has 0 of 2 tasks"),
    ],
)
def test_what_is_under_way_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, environment: StackEnvironment, state: str | None, tasks: str, words: str
) -> None:
    with pytest.raises(OperatorError, match=words) as late:
        waits(monkeypatch, environment, state, tasks)
    assert late.value.code == ExitCode.UNREACHABLE


@pytest.mark.parametrize("state", [None, "completed"])
def test_what_arrived_is_done(
    monkeypatch: pytest.MonkeyPatch, environment: StackEnvironment, state: str | None
) -> None:
    waits(monkeypatch, environment, state, "Running 1 s ago\nRunning 2 s ago\n")


@pytest.mark.requirement("SWARM-SECRETS")
def test_a_secret_goes_through_stdin_and_its_name_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, environment: StackEnvironment
) -> None:
    calls: list[tuple[tuple[str, ...], bytes]] = []

    def docker(*arguments: str, stdin: bytes = b"") -> bytes:
        calls.append((arguments, stdin))
        return b"the-id\n" if "create" in arguments else b""

    monkeypatch.setattr(secrets, "docker", docker)
    placed = secrets.place_secrets(environment, {"redis": {"a_file": b"value"}})
    assert placed["redis"]["a_file"]["id"] == "the-id"
    made = [stdin for arguments, stdin in calls if "create" in arguments]
    assert made == [b"value"]
    assert not any("value" in word for arguments, _ in calls for word in arguments)
    again = secrets.place_secrets(environment, {"redis": {"a_file": b"another"}})
    assert again["redis"]["a_file"]["name"] != placed["redis"]["a_file"]["name"], "a new value is a new secret"
