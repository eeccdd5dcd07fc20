"""What terraform/docker declares, measured from inside the running containers."""

import json

import pytest

from ops.containers.engine import docker
from ops.containers.environment import PARTS
from tests.stack.conftest import RunningStack
from tests.support.until import until

IN_MEMORY = ("/tmp", "/data", "/opt/keycloak/data", "/etc/nginx/edge", "/etc/redis")  # noqa: S108 - in containers
USERS = {"edge": "10004", "keycloak": "10003", "postgres": "999", "redis": "10002", "service": "10001"}


def status_of_main(stack: RunningStack, part: str) -> dict[str, str]:
    lines = stack.shell(part, "cat /proc/1/status").stdout.splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.mark.requirement("STACK-HARDENING")
@pytest.mark.parametrize("part", PARTS)
def test_no_root_no_capability_no_way_to_more(stack: RunningStack, part: str) -> None:
    status = status_of_main(stack, part)
    assert status["Uid"].split() == [USERS[part]] * 4
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


@pytest.mark.requirement("STACK-HARDENING")
@pytest.mark.parametrize("part", PARTS)
def test_the_root_file_system_takes_nothing(stack: RunningStack, part: str) -> None:
    mounts = stack.shell(part, "cat /proc/mounts").stdout.splitlines()
    root = next(line.split() for line in mounts if line.split()[1] == "/")
    assert "ro" in root[3].split(",")
    for folder in ("/", "/etc", "/usr", "/opt", "/run/secrets"):
        refused = stack.shell(part, f"touch {folder}/x")
        assert refused.returncode != 0, folder
        assert "Read-only" in refused.stderr or "denied" in refused.stderr
    for line in mounts:
        _, target, kind, options = line.split()[:4]
        if kind == "tmpfs" and target in IN_MEMORY:
            assert {"nosuid", "nodev", "noexec"} <= set(options.split(",")), target


@pytest.mark.requirement("STACK-HARDENING")
@pytest.mark.parametrize("part", PARTS)
def test_namespaces_cannot_be_made(stack: RunningStack, part: str) -> None:
    assert stack.shell(part, "unshare --user true").returncode != 0
    assert stack.shell(part, "unshare --mount true").returncode != 0


@pytest.mark.requirement("STACK-HARDENING")
@pytest.mark.parametrize("part", PARTS)
def test_secret_files_are_for_the_user_alone(stack: RunningStack, part: str) -> None:
    lines = stack.shell(part, "stat --format '%a %u %n' /run/secrets/*").stdout.splitlines()
    assert lines
    for line in lines:
        mode, user, name = line.split()
        assert (mode, user) == ("400", USERS[part]), name


@pytest.mark.requirement("STACK-HARDENING")
@pytest.mark.parametrize("part", PARTS)
def test_limits_and_logs_are_set(stack: RunningStack, part: str) -> None:
    host = stack.inspect(part)["HostConfig"]
    assert 0 < host["Memory"] == host["MemorySwap"]
    assert host["NanoCpus"] > 0
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "5", "max-size": "10m"}}
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert not host["Privileged"]
    assert host["CapAdd"] is None
    assert host["CapDrop"] == ["ALL"]
    assert all("docker.sock" not in json.dumps(mount) for mount in stack.inspect(part)["Mounts"])
    limits = stack.shell(part, "cat /proc/1/limits").stdout
    processes = next(line for line in limits.splitlines() if line.startswith("Max processes")).split()[2]
    assert int(processes) == next(limit["Hard"] for limit in host["Ulimits"] if limit["Name"] == "nproc")


@pytest.mark.requirement("STACK-HARDENING")
@pytest.mark.parametrize("part", ["redis", "edge"])
def test_a_fork_bomb_stops_at_the_limit(stack: RunningStack, part: str) -> None:
    limit = next(item["Hard"] for item in stack.inspect(part)["HostConfig"]["Ulimits"] if item["Name"] == "nproc")
    # Bounded: asks for twice the limit, once; whatever started ends by itself after 3 s.
    bomb = stack.shell(part, f"for i in $(seq {2 * limit}); do sleep 3 & done")
    assert "Resource temporarily unavailable" in bomb.stderr
    until(lambda: stack.shell(part, "true").returncode == 0, 30, "processes can be made again")
    others = [other for other in PARTS if other != part]
    assert all(stack.inspect(other)["State"]["Running"] for other in others)


@pytest.mark.requirement("STACK-HARDENING")
def test_out_of_memory_kills_only_the_offender(stack: RunningStack) -> None:
    pids = {part: stack.inspect(part)["State"]["Pid"] for part in PARTS}
    eater = stack.run("service", "python", "-c", "b = bytearray(2 * 2**30)\nfor i in range(0, len(b), 4096): b[i] = 1")
    assert eater.returncode in {137, -9, 1}
    assert eater.returncode != 0
    assert {part: stack.inspect(part)["State"]["Pid"] for part in PARTS} == pids
    assert all(stack.inspect(part)["State"]["Running"] for part in PARTS)


@pytest.mark.requirement("STACK-HARDENING")
def test_only_the_edge_publishes_and_only_on_loopback(stack: RunningStack) -> None:
    for part in PARTS:
        bindings = stack.inspect(part)["HostConfig"]["PortBindings"] or {}
        assert bool(bindings) == (part == "edge")
        assert {item["HostIp"] for items in bindings.values() for item in items} <= {"127.0.0.1"}
    for network, internal in (("edge", False), ("app", True), ("data", True)):
        said = json.loads(docker("network", "inspect", f"secure-mcp-{stack.environment.name}-{network}"))[0]
        assert said["Internal"] is internal
