"""The nodes of a Swarm, asked before anything is touched."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ops.containers.engine import docker
from ops.errors import OperatorError, unreachable

DATA, EDGE = "secure-mcp-data", "secure-mcp-edge"


@dataclass(frozen=True, slots=True)
class Node:
    """A node as the managers know it; labels that begin with `secure-mcp-` and are `true`."""

    id: str
    name: str
    ready: bool
    labels: frozenset[str]


def find_nodes() -> list[Node]:
    """Ask the engine, which must be a manager of a Swarm.

    Raises:
        OperatorError: it is none (exit code 3).
    """
    said = json.loads(docker("info", "--format", "{{json .Swarm}}"))
    if not said.get("ControlAvailable"):
        raise unreachable(
            "The engine is no manager of a Swarm.",
            "Make one (docker swarm init), or let DOCKER_HOST name a manager, such as ssh://ops@node1.",
        )
    ids = docker("node", "ls", "--quiet").decode().split()
    return [_node(node) for node in json.loads(docker("node", "inspect", *ids))]


def check_nodes(nodes: list[Node], edges: int) -> None:
    """Refuse a Swarm that cannot hold what is declared.

    Args:
        nodes: what `find_nodes` returned.
        edges: how many tasks of Nginx are declared, at most one on a node.

    Raises:
        OperatorError: labels are missing.
    """
    count = Counter(label for node in nodes for label in node.labels)
    if count[DATA] != 1:
        raise OperatorError(
            f"{count[DATA]} nodes have the label {DATA}; the stores with their volumes need exactly one.",
            f"docker node update --label-add {DATA}=true NODE",
        )
    if count[EDGE] < edges:
        raise OperatorError(
            f"{count[EDGE]} nodes have the label {EDGE}, and {edges} tasks of Nginx are declared, one a node.",
            f"docker node update --label-add {EDGE}=true NODE, or fewer `replicas.edge` in docker.tfvars.json.",
        )


def require_data_node(nodes: list[Node]) -> None:
    """Refuse an engine that is not the one with PostgreSQL's volume.

    Args:
        nodes: what `find_nodes` returned.

    Raises:
        OperatorError: the engine of DOCKER_HOST is another node.
    """
    own = docker("info", "--format", "{{.Swarm.NodeID}}").decode().strip()
    if not any(node.id == own and DATA in node.labels for node in nodes):
        names = ", ".join(node.name for node in nodes if DATA in node.labels) or f"no node has the label {DATA}"
        raise OperatorError(
            f"The engine is not the node of PostgreSQL ({names}).", "Let DOCKER_HOST name that node, a manager."
        )


def _node(said: dict[str, Any]) -> Node:
    labels = said["Spec"].get("Labels") or {}
    return Node(
        id=str(said["ID"]),
        name=str(said["Description"]["Hostname"]),
        ready=said["Status"]["State"] == "ready",
        labels=frozenset(name for name in (DATA, EDGE) if labels.get(name) == "true"),
    )
