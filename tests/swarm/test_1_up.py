"""From nothing to a stack on three nodes that proves itself through each of them; a second time changes nothing."""

import json
import socket
import ssl

import pytest

from ops.containers.environment import PARTS
from ops.containers.secret_files import secret_names
from ops.containers.up import read_contract
from ops.proof import prove
from ops.swarm import up as swarm_up
from tests.swarm.cluster import AUTH, MCP, Node
from tests.swarm.conftest import RunningSwarm, realm_of

REPLICAS = {"edge": 3, "keycloak": 2, "postgres": 1, "redis": 1, "service": 3}


@pytest.mark.requirement("SWARM-UP")
@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_its_tasks(swarm: RunningSwarm, part: str) -> None:
    assert swarm.running(part) == REPLICAS[part], swarm.tasks(part)


@pytest.mark.requirement("SWARM-UP")
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_stack_proves_itself_through_each_node(
    swarm: RunningSwarm, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, found = swarm.cluster.nodes[number], socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **o: found(node.address if host in {MCP, AUTH} else host, *a, **o)
    )
    assert [proof for proof in prove(swarm.environment) if not proof.holds] == []


@pytest.mark.requirement("SWARM-UP")
def test_the_second_plan_of_both_roots_is_empty(swarm: RunningSwarm) -> None:
    _environment, root, _references = swarm_up.prepare(swarm.environment)
    changes = [c for c in root.show().get("resource_changes", []) if c["change"]["actions"] != ["no-op"]]
    assert changes == []
    with swarm_up.open_door(swarm.environment):
        realm = realm_of(swarm)
        realm.prepare()
        assert realm.plan() is False


@pytest.mark.requirement("SWARM-SECRETS")
def test_no_secret_is_in_state_plan_log_or_what_the_engines_tell(swarm: RunningSwarm) -> None:
    _environment, root, _references = swarm_up.prepare(swarm.environment)
    folder = swarm.environment.state
    texts = {str(file): file.read_text(errors="replace") for file in folder.rglob("*.tfstate*") if file.is_file()}
    texts |= {str(file): file.read_text(errors="replace") for file in (folder / "run").glob("*.log")}
    texts["plan"] = json.dumps(root.show())
    texts["services"] = swarm.cluster.manager.machine.shell("docker service inspect $(docker service ls -q)")
    texts["configs"] = swarm.cluster.manager.machine.shell("docker config inspect $(docker config ls -q)")
    for part in PARTS:
        for node, container in swarm.containers(part):
            texts[f"{part} on {node.name}"] = node.docker("inspect", container)
            texts[f"log of {part} on {node.name}"] = node.machine.shell(f"docker logs {container} 2>&1")
    for node in swarm.cluster.nodes:
        # Of containers and of whoever started them.
        texts[f"processes of {node.name}"] = node.machine.shell(
            "{ cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ || true; } | tr '\\0' ' '"
        )
    assert any(name.endswith(".tfstate") for name in texts)
    values = {name: swarm.secret(name) for name in secret_names(read_contract())}
    values["key"] = (folder / "secrets" / "tls_key.pem").read_text().splitlines()[1]
    assert [(name, where) for name, value in values.items() for where, text in texts.items() if value in text] == []


@pytest.mark.requirement("SWARM-HARDENED")
@pytest.mark.parametrize("part", PARTS)
def test_tasks_are_hardened_like_containers(swarm: RunningSwarm, part: str) -> None:
    for node, container in swarm.containers(part):
        said = json.loads(node.docker("inspect", container))[0]
        host = said["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"], host["Memory"] > 0) == (True, ["ALL"], True)
        assert not said["Config"]["User"].startswith(("0", "root"))
        status = node.docker("exec", container, "cat", "/proc/1/status")
        held = dict(line.split(":\t", 1) for line in status.splitlines())
        assert (held["NoNewPrivs"], int(held["CapEff"], 16)) == ("1", 0)
        limits = node.docker("exec", container, "cat", "/proc/1/limits")
        assert any(line.startswith("Max processes") and " 512 " in line for line in limits.splitlines())


@pytest.mark.requirement("SWARM-DOOR")
def test_the_operators_door_is_on_no_network(swarm: RunningSwarm) -> None:
    port = swarm.environment.operator_port
    for node in swarm.cluster.nodes:
        assert not [open_ for open_ in (port, 9443, 8080, 8000, 9000, 9464, 5432, 6379, 7800) if _answers(node, open_)]
        assert _answers(node, 443)
    with swarm.client() as http, swarm_up.open_door(swarm.environment):
        assert http.get(f"https://localhost:{port}/realms/master").status_code == 200
        assert http.get(f"https://{AUTH}/realms/master").status_code == 404
        assert http.get(f"https://{AUTH}/admin/").status_code == 404
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.requirement("SWARM-UP")
def test_a_stranger_may_not_say_where_it_comes_from(swarm: RunningSwarm) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9"}
    with swarm.client() as http:
        assert http.get(f"https://{MCP}/api/v1/tools", headers=forged).status_code == 401
    logs = [node.docker("logs", container) for node, container in swarm.containers("edge")]
    assert any(swarm.cluster.manager.machine.gateway in log for log in logs), "the edge sees who really calls"
    assert not any("203.0.113.9" in log for log in logs)


def _answers(node: Node, port: int) -> bool:
    try:
        with socket.create_connection((node.address, port), timeout=3):
            return True
    except OSError:
        return False


def test_tls_ends_at_each_node(swarm: RunningSwarm) -> None:
    context = ssl.create_default_context(cafile=str(swarm.environment.authority))
    for node in swarm.cluster.nodes:
        with (
            socket.create_connection((node.address, 443), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname=MCP) as tls,
        ):
            assert tls.version() == "TLSv1.3"
