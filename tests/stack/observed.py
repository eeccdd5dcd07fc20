"""The optional part `observability` on the running stack, switched on and off by the values of the environment."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network

from ops.containers import up
from ops.containers.engine import docker
from ops.containers.environment import load_stack_environment
from ops.operator_metrics import exposition
from tests.stack.conftest import RunningStack
from tests.support.monitoring import Monitoring
from tests.support.operators_host import OperatorsHost, operators_host

# tests/images builds it from Debian's packages. Grafana is in none of them.
IMAGE = "secure-mcp/observability:1"
JOBS = {"service", "keycloak", "nginx", "redis", "postgres", "node"}
OF_EXPORTERS = re.compile(r"\b(?:secure_mcp|keycloak|jvm|http_server|agroal|nginx|redis|pg)_\w+")


@dataclass(frozen=True)
class Observed:
    """The stack, who looks at it, and whom Alertmanager tells."""

    stack: RunningStack
    monitoring: Monitoring
    host: OperatorsHost

    @property
    def parts(self) -> tuple[str, ...]:
        return load_stack_environment().observers

    def address(self, part: str, network: str) -> str:
        return address(self.stack, part, network)

    def up(self) -> set[str]:
        """Return the jobs whose every target is up."""
        found = self.monitoring.query("min by (job) (up)")
        return {series["metric"]["job"] for series in found if series["value"][1] == "1"}

    def known(self) -> set[str]:
        """Return the name of every metric that there is a series of now."""
        found = self.monitoring.query('count by (__name__) ({__name__!=""})')
        return {series["metric"]["__name__"] for series in found}


def address(stack: RunningStack, part: str, network: str) -> str:
    """Return the address of a container in a network of the stack."""
    networks = stack.inspect(part)["NetworkSettings"]["Networks"]
    return str(networks[f"secure-mcp-{stack.environment.name}-{network}"]["IPAddress"])


def switch(stack: RunningStack, value: dict[str, object] | None) -> bool:
    """Give the environment the value `observability` and bring it up with it; None takes the part away.

    Returns:
        Whether anything changed.
    """
    file = stack.environment.state / "docker.tfvars.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values.pop("observability", None)
    if value is not None:
        values["observability"] = value
    file.write_text(json.dumps(values), encoding="utf-8")
    return up.bring_up(load_stack_environment())[1]


@contextmanager
def observing(stack: RunningStack) -> Iterator[Observed]:
    """Switch the part on for the block, and off at its end."""
    values = json.loads((stack.environment.state / "docker.tfvars.json").read_text(encoding="utf-8"))
    # As terraform/docker cuts it: the second quarter is `app`, the last eighth is Alertmanager's way out.
    quarters = list(ip_network(values["network"]).subnets(2))
    app, tell = (str(next(net.hosts())) for net in (quarters[1], list(quarters[3].subnets(1))[1]))
    with operators_host(lambda: exposition(stack.environment, drift=False)) as host:
        try:
            switch(
                stack,
                {
                    "image": IMAGE,
                    "grafana": False,
                    "interval": "2s",
                    "node_exporters": [f"{app}:{host.server_port}"],
                    "webhook_url": f"http://{tell}:{host.server_port}/alerts",
                },
            )
            pair = [address(stack, part, "observe") for part in ("prometheus", "alertmanager")]
            yield Observed(stack, Monitoring(f"http://{pair[0]}:9090", f"http://{pair[1]}:9093"), host)
        finally:
            if load_stack_environment().observers:
                switch(stack, None)


def left_over(stack: RunningStack) -> set[str]:
    """Return what the engine still has of the part, by name."""
    prefix = f"secure-mcp-{stack.environment.name}-"
    found = set()
    for kind in ("container", "network", "volume"):
        shown = "{{.Names}}" if kind == "container" else "{{.Name}}"
        options = ["--all"] if kind == "container" else []
        found |= set(docker(kind, "ls", *options, f"--filter=name={prefix}", f"--format={shown}").decode().split())
    words = ("prometheus", "alert", "exporter", "grafana", "observe", "tell")
    return {name for name in found if any(word in name for word in words)}
