"""What can be reached over the network, tried from containers in other network namespaces."""

import json
from ipaddress import ip_network

import pytest

from ops.containers.engine import docker
from ops.containers.environment import PARTS
from tests.stack.conftest import RunningStack

# Every port that a program of the stack listens on, and the usual neighbours.
PORTS = (22, 80, 443, 2375, 5432, 6379, 7800, 7900, 8000, 8080, 8081, 8443, 8444, 9000, 9443, 57800)
SCAN = """
import asyncio, json, sys
async def main(targets):
    async def probe(host, port):
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 1.5)
        except (OSError, asyncio.TimeoutError):
            return None
        writer.close()
        return [host, port]
    found = await asyncio.gather(*(probe(*target) for target in targets))
    print(json.dumps([item for item in found if item]))
asyncio.run(main(json.load(sys.stdin)))
"""


def scan(network: str, image: str, targets: list[tuple[str, int]]) -> set[tuple[str, int]]:
    """Try to connect from a fresh container in a network; once a target."""
    command = ["run", "--rm", "--interactive", f"--network={network}", "--entrypoint=python", image, "-c", SCAN]
    answer = docker(*command, stdin=json.dumps(targets).encode())
    return {(host, port) for host, port in json.loads(answer)}


def addresses(stack: RunningStack) -> dict[str, tuple[str, str]]:
    """Return part and network by address."""
    return {
        settings["IPAddress"]: (part, network.rsplit("-", 1)[1])
        for part in PARTS
        for network, settings in stack.inspect(part)["NetworkSettings"]["Networks"].items()
    }


@pytest.mark.requirement("STACK-PORTS")
def test_a_stranger_on_the_engine_reaches_nothing(stack: RunningStack) -> None:
    image = stack.environment.recall("service_image")
    where = addresses(stack)
    subnet = json.loads(docker("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]["Subnet"]
    gateway = str(next(ip_network(subnet).hosts()))
    published = [
        int(item["HostPort"])
        for items in stack.inspect("edge")["HostConfig"]["PortBindings"].values()
        for item in items
    ]
    targets = [(address, port) for address in where for port in PORTS]
    targets += [(gateway, port) for port in (*published, 5432, 6379, 8000, 9000)]
    assert scan("bridge", image, targets) == set()


@pytest.mark.requirement("STACK-PORTS")
def test_each_network_shows_only_what_belongs_there(stack: RunningStack) -> None:
    image, where = stack.environment.recall("service_image"), addresses(stack)
    prefix = f"secure-mcp-{stack.environment.name}"
    seen = {}
    for network in ("edge", "app", "data"):
        targets = [(address, port) for address in where for port in PORTS]
        seen[network] = {(where[host][0], port) for host, port in scan(f"{prefix}-{network}", image, targets)}
    assert seen["edge"] == set()  # containers of this network do not talk to each other
    assert seen["app"] == {
        ("edge", 8080), ("edge", 8443), ("edge", 8444), ("edge", 9443),
        ("keycloak", 8080), ("keycloak", 9000), ("service", 8000),
    }  # fmt: skip
    assert seen["data"] == {
        ("postgres", 5432),
        ("redis", 6379),
        ("keycloak", 8080),
        ("keycloak", 9000),
        ("service", 8000),
    }


@pytest.mark.requirement("STACK-PORTS")
@pytest.mark.parametrize("part", PARTS)
def test_nothing_inside_reaches_the_outside(stack: RunningStack, part: str) -> None:
    # 192.0.2.1 is an address for documentation (RFC 5737): no packet leaves, the question is whether there is a route.
    tried = stack.shell(part, "timeout 3 bash -c '</dev/tcp/192.0.2.1/443'")
    assert tried.returncode != 0
