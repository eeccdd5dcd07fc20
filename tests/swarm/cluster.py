"""A Swarm of three nodes on this machine: each a container with systemd and an engine of its own, and a registry."""

import json
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.host.machine import INIT, OPTIONS, Machine, build, docker
from tests.support.until import until

HERE = Path(__file__).resolve().parent
IMAGE = "secure-mcp-tests/node:bookworm"
# Of RFC 6761: nobody owns names below it.
MCP, AUTH = "mcp.swarm.test", "auth.swarm.test"
REGISTRY = "registry.swarm.test:5000"
_ENGINE_FOLDER = "/engine"


@dataclass(frozen=True)
class Node:
    """One node: the machine, and its engine's socket as this computer reaches it."""

    machine: Machine
    socket: Path

    @property
    def name(self) -> str:
        return self.machine.name

    @property
    def address(self) -> str:
        return self.machine.address

    def docker(self, *arguments: str) -> str:
        """Ask the engine of the node, from inside, so that it works however the node is cut off."""
        return self.machine.shell(" ".join(["docker", *(f"'{word}'" for word in arguments)]))

    def answers(self) -> bool:
        return self.machine.run("docker", "info").returncode == 0


@dataclass(frozen=True)
class Cluster:
    """The running Swarm of three managers; the first node is the one that is asked, and has the stores.

    `network` is the name of the network of the nodes, `push` the registry as this computer reaches it.
    """

    nodes: tuple[Node, ...]
    network: str
    push: str

    @property
    def manager(self) -> Node:
        return self.nodes[0]

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes docker and Terraform speak to the manager."""
        return {"DOCKER_HOST": f"unix://{self.manager.socket}"}

    def states(self) -> list[str]:
        """Return the state of each node, as the managers know it; none while these have no leader."""
        return self.manager.machine.run("docker", "node", "ls", "--format", "{{.Status}}").stdout.split()

    def let_lead(self, node: Node) -> None:
        """Make a node the leader of the managers, by taking that office from the others for a moment."""
        others = [f"node{other.address[-1]}" for other in self.nodes if other != node]
        for left, other in zip((2, 1), others, strict=True):  # both at once: "update out of sequence"
            node.docker("node", "demote", other)
            until(lambda left=left: len(self._managers(node)) == left, 60, f"{other} is no manager")
        node.docker("node", "promote", *others)
        until(lambda: self._managers(self.manager).count("Reachable") == 2, 60, "all three are managers again")

    def _managers(self, asked: Node) -> list[str]:
        """Return the state of each manager, as one of them knows it; none while it does not know."""
        return asked.machine.run("docker", "node", "ls", "--format", "{{.ManagerStatus}}").stdout.split()

    def cut(self, node: Node) -> None:
        """Take a node from the network: nothing that is sent to it is answered, and nobody is told."""
        docker("network", "disconnect", "--force", self.network, node.name)

    def mend(self, node: Node) -> None:
        """Connect it again, under its address."""
        docker("network", "connect", f"--ip={node.address}", self.network, node.name)


def build_node() -> None:
    """Make the image of a node where it is not there yet."""
    build()
    done = subprocess.run(
        ["docker", "build", "--quiet", "--network=host", f"--tag={IMAGE}", str(HERE / "node")],
        env={"DOCKER_BUILDKIT": "0", "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(Path.home())},
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start nodes and registry, make them a Swarm, and remove everything at the end.

    Args:
        folder: where the sockets of the engines are.
    """
    build_node()
    network = f"secure-mcp-swarm-{secrets.token_hex(4)}"
    subnet = f"10.188.{secrets.randbelow(200) + 20}"
    machines = [
        Machine(f"{network}-{number}", f"{subnet}.{10 + number}", f"{subnet}.1", folder) for number in (1, 2, 3)
    ]
    nodes = tuple(Node(machine, folder / machine.name / "docker.sock") for machine in machines)
    registry = f"{network}-registry"
    try:
        docker("network", "create", f"--subnet={subnet}.0/24", f"--gateway={subnet}.1", network)
        docker(
            "run", "--detach", f"--name={registry}", f"--network={network}", f"--ip={subnet}.5",
            "--publish=127.0.0.1::5000", IMAGE, "docker-registry", "serve", "/etc/registry.yml",
        )  # fmt: skip
        for node in nodes:
            _start(node, network, f"{subnet}.5")
        _join(nodes)
        yield Cluster(nodes, network, docker("port", registry, "5000").split()[0])
    finally:
        for name in (*(node.name for node in nodes), registry):
            subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, timeout=120)
            subprocess.run(["docker", "volume", "rm", "--force", name], capture_output=True, timeout=120)
        subprocess.run(["docker", "network", "rm", network], capture_output=True, timeout=120)


def _start(node: Node, network: str, registry: str) -> None:
    node.socket.parent.mkdir(parents=True)
    docker(
        "run", "--detach", f"--name={node.name}", f"--hostname=node{node.address[-1]}", f"--network={network}",
        f"--ip={node.address}", f"--add-host={REGISTRY.split(':')[0]}:{registry}",
        f"--volume={node.name}:/var/lib/docker", f"--volume={node.socket.parent}:{_ENGINE_FOLDER}",
        *OPTIONS, IMAGE, *INIT,
    )  # fmt: skip
    until(node.machine.booted, 120, f"{node.name} has booted")
    start_engine(node)


def start_engine(node: Node) -> None:
    """Configure and start the engine of a node that has booted, the first time and after a crash."""
    node.machine.open_network_settings()
    settings = {
        "insecure-registries": [REGISTRY],
        # What a service of a Swarm cannot say for itself (terraform/docker/README.md).
        "no-new-privileges": True,
        "default-ulimits": {
            "nproc": {"Name": "nproc", "Soft": 512, "Hard": 512},
            "nofile": {"Name": "nofile", "Soft": 8192, "Hard": 8192},
        },
    }
    node.machine.write("/etc/docker/daemon.json", json.dumps(settings))
    node.machine.write(
        "/etc/systemd/system/docker.service.d/socket.conf",
        "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock "
        f"-H unix://{_ENGINE_FOLDER}/docker.sock\n",
    )
    node.machine.shell("systemctl daemon-reload && systemctl start docker")
    until(node.answers, 120, f"the engine of {node.name} answers")


def _join(nodes: tuple[Node, ...]) -> None:
    manager, *others = nodes
    manager.docker("swarm", "init", f"--advertise-addr={manager.address}")
    token = manager.docker("swarm", "join-token", "--quiet", "manager").strip()
    for node in others:
        node.docker("swarm", "join", f"--token={token}", f"{manager.address}:2377")
    names = manager.docker("node", "ls", "--format", "{{.Hostname}}").split()
    assert len(names) == len(nodes), names
    for name in names:
        manager.docker("node", "update", "--label-add=secure-mcp-edge=true", name)
    manager.docker("node", "update", "--label-add=secure-mcp-data=true", f"node{manager.address[-1]}")


def push_image(cluster: Cluster, name: str) -> str:
    """Copy an image of this computer's engine into the registry; returns its digest there."""
    target = f"{cluster.push}/{name}"
    docker("tag", name, target)
    docker("push", "--quiet", target, timeout=1200)
    known = json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", target))
    docker("rmi", target)
    return str(next(digest.split("@")[1] for digest in known if digest.startswith(f"{cluster.push}/")))
