"""The leader of the managers is lost under load: killed, and cut from the network.

Calls that it had under way may fail, no later one.
"""

import time
from collections.abc import Callable

import pytest

from tests.host.machine import docker
from tests.support.until import until
from tests.swarm.cluster import Cluster, Node, start_engine
from tests.swarm.conftest import RunningSwarm
from tests.swarm.figures import Figures

BACK_S = 720  # as terraform waits for Keycloak: a busy machine needs minutes for its start


def kill(_cluster: Cluster, node: Node) -> None:
    docker("kill", node.name)


def bring_back(cluster: Cluster, node: Node) -> None:
    docker("start", node.name)
    until(node.machine.booted, 120, f"{node.name} has booted")
    start_engine(node)


def node_with_most(swarm: RunningSwarm) -> Node:
    """Return the node, not the one with the stores, whose loss takes away most: service, Keycloak and Nginx."""
    held = {part: {node.name for node, _ in swarm.containers(part)} for part in ("service", "keycloak", "edge")}
    node = max(swarm.cluster.nodes[1:], key=lambda node: sum(node.name in names for names in held.values()))
    assert all(node.name in names for names in held.values()), held
    return node


@pytest.mark.requirement("SWARM-NODE-LOST")
@pytest.mark.parametrize(
    ("way", "lose", "mend"), [("killed", kill, bring_back), ("cut off", Cluster.cut, Cluster.mend)]
)
def test_a_lost_node_costs_what_it_had_under_way(
    swarm: RunningSwarm,
    figures: Figures,
    way: str,
    lose: Callable[[Cluster, Node], None],
    mend: Callable[[Cluster, Node], None],
) -> None:
    cluster, node = swarm.cluster, node_with_most(swarm)
    cluster.let_lead(node)
    try:
        with swarm.load() as load:
            load.more(100)
            lose(cluster, node)
            lost = time.monotonic()
            until(lambda: sorted(cluster.states()) == ["Down", "Ready", "Ready"], BACK_S, "the other managers notice")
            until(
                lambda: swarm.running("service") == 3 and swarm.running("keycloak") == 2, BACK_S, "all tasks elsewhere"
            )
            back = time.monotonic() - lost
            load.more(40)
    finally:
        mend(cluster, node)
    until(lambda: cluster.states() == ["Ready"] * 3, BACK_S, "the node is back")
    until(lambda: swarm.running("edge") == 3, BACK_S, "its Nginx is back")
    under_way, later = load.failed(before=lost), load.failed(since=lost)
    figures.add(
        f"node {way}: calls, failed of those under way, failed later, slowest later",
        f"{len(load.calls)}, {under_way}, {later}, {max(c.seconds for c in load.calls if c.due >= lost):.1f} s",
    )
    figures.add(f"node {way}: again 3 tasks of the service and 2 of Keycloak", f"{back:.0f} s")
    assert later == 0, load.statuses(since=lost)
