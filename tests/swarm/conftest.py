"""The stack on a Swarm of three nodes, brought up once for the tier by the operator's own command."""

import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ops.containers.authority import TLS_CERTIFICATE, TLS_KEY, ensure_certificate
from ops.containers.environment import StackEnvironment, load_stack_environment
from ops.containers.images import CA_BUNDLE_VARIABLE
from ops.containers.up import confidential, read_contract, realm_root
from ops.environment import REALM
from ops.proof import service_account_token
from ops.secrets import read_secret
from ops.swarm import up as swarm_up
from ops.swarm.images import push_images
from ops.swarm.values import add_values
from ops.trust import trust_authority
from tests.faults.load import Target
from tests.host.machine import BUNDLE
from tests.host.mirror import BASES
from tests.support.relay import free_port
from tests.swarm.asking import FreshLoad
from tests.swarm.cluster import AUTH, MCP, REGISTRY, Cluster, running_cluster
from tests.swarm.figures import Figures

_lookup = socket.getaddrinfo
RATE = 20  # calls a second: what the load itself costs leaves the two cores of a small machine to the nodes


@dataclass(frozen=True)
class RunningSwarm:
    """The stack under test."""

    environment: StackEnvironment
    cluster: Cluster

    def token(self, client_id: str = "mcp-automation") -> str:
        return service_account_token(self.environment, client_id)

    def secret(self, name: str) -> str:
        return read_secret(self.environment.secrets, name)

    def client(self) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.environment.authority))
        return httpx.Client(verify=context, trust_env=False, timeout=30)

    def load(self) -> FreshLoad:
        """Return a load of calls over the edges of all nodes."""
        addresses = tuple(node.address for node in self.cluster.nodes)
        return FreshLoad(self, Target(443, self.environment.authority, MCP, addresses), RATE)

    def tasks(self, part: str) -> list[dict[str, str]]:
        """Return the tasks of a part that should run."""
        words = ("service", "ps", "--filter=desired-state=running", "--format", "{{json .}}")
        listing = self.cluster.manager.docker(*words, self.environment.container(part))
        return [json.loads(line) for line in listing.splitlines()]

    def running(self, part: str) -> int:
        return sum(task["CurrentState"].startswith("Running") for task in self.tasks(part))

    def containers(self, part: str) -> Iterator[tuple[Any, str]]:
        """Return node and container id of each task of a part."""
        for node in self.cluster.nodes:
            name = f"label=com.docker.swarm.service.name={self.environment.container(part)}"
            for container in node.docker("ps", "--quiet", f"--filter={name}").split():
                yield node, container


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes, with nothing on them."""
    with running_cluster(tmp_path_factory.mktemp("engines")) as running:
        yield running


@pytest.fixture(scope="session")
def prepared(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackEnvironment]:
    """An environment that has values, images in the registry and a public certificate."""
    state = tmp_path_factory.mktemp("swarm")
    patch = pytest.MonkeyPatch()
    patch.setenv("SECURE_MCP_ENVIRONMENT", "staging")
    patch.setenv("SECURE_MCP_STATE_DIR", str(state))
    patch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    environment = load_stack_environment()
    add_values(environment, {
        "topology": "swarm",
        "registry": REGISTRY,
        "bind_address": "0.0.0.0",  # noqa: S104 - of the nodes
        "public_url": f"https://{MCP}",
        "keycloak_public_url": f"https://{AUTH}",
        "network": "10.87.8.0/24",
        "ports": {"http": 80, "https": 443, "auth": 443, "operator": free_port()},
        "overlay_encrypted": False,  # the kernels on which this is tested have no ESP
        "rates": {
            "login": {"rate": "50r/s", "burst": 200},
            "mcp": {"rate": "500r/s", "burst": 1000, "streams": 256},
            "registration": {"rate": "6r/m", "burst": 5},
            "token": {"rate": "50r/s", "burst": 100},
        },
    })  # fmt: skip
    for name, value in (BASES | ({CA_BUNDLE_VARIABLE: str(BUNDLE)} if BUNDLE.is_file() else {})).items():
        patch.setenv(name, value)
    push_images(environment, cluster.push)
    patch.setenv("DOCKER_HOST", cluster.environment["DOCKER_HOST"])
    patch.setattr(socket, "getaddrinfo", names_at(*(node.address for node in cluster.nodes)))
    lay_public_certificate(environment)
    yield environment
    patch.undo()


def lay_public_certificate(environment: StackEnvironment) -> None:
    """Give an environment a certificate for the public names, of its own authority, which this process trusts then."""
    environment.secrets.mkdir(mode=0o700, exist_ok=True)
    certificate, key = ensure_certificate(environment.state / "tls", "public", [MCP, AUTH])
    for file, source in ((TLS_CERTIFICATE, certificate), (TLS_KEY, key)):
        (environment.secrets / file).write_bytes(source.read_bytes())
        (environment.secrets / file).chmod(0o400)
    trust_authority(environment.authority)


@pytest.fixture(scope="session")
def swarm(prepared: StackEnvironment, cluster: Cluster, figures: Figures) -> RunningSwarm:
    """The running stack."""
    with figures.time("three nodes with no image, services and realm applied, proved"):
        swarm_up.bring_up(prepared)
    return RunningSwarm(load_stack_environment(), cluster)


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """What is measured; written for docs/scaling.md at the end."""
    found = Figures()
    yield found
    found.write()


def names_at(*addresses: str) -> Any:
    """Return a getaddrinfo that knows the public names as these addresses."""

    def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in {MCP, AUTH}:
            return _lookup(host, *arguments, **options)
        return [found for address in addresses for found in _lookup(address, *arguments, **options)]

    return lookup


def realm_of(swarm: RunningSwarm) -> Any:
    """Return terraform/keycloak of the environment, as the account `terraform`."""
    names = (*confidential(read_contract()), "bootstrap-admin")
    secrets = {name: swarm.secret(name) for name in names}
    return realm_root(swarm.environment, secrets, REALM, "terraform", secrets)
