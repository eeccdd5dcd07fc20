"""The whole stack on a Docker engine, from nothing, once for the tier: environment `staging` on ports of this run."""

import json
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.containers import up
from ops.containers.authority import TLS_CERTIFICATE, TLS_KEY, ensure_certificate
from ops.containers.engine import docker, exists
from ops.containers.environment import PARTS, StackEnvironment, load_stack_environment
from ops.containers.images import Images
from ops.containers.root import TerraformRoot
from ops.environment import REALM
from ops.proof import service_account_token
from ops.secrets import read_secret
from ops.trust import trust_authority
from tests.support.relay import free_port

NAME = "staging"


@dataclass(frozen=True)
class RunningStack:
    """The stack under test."""

    environment: StackEnvironment
    authority: Path
    http_port: int

    def container(self, part: str) -> str:
        return self.environment.container(part)

    def run(self, part: str, *command: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program inside a container."""
        options = [f"--user={user}"] if user else []
        return subprocess.run(
            ["docker", "exec", *options, self.container(part), *command], capture_output=True, text=True, timeout=120
        )

    def shell(self, part: str, script: str) -> subprocess.CompletedProcess[str]:
        return self.run(part, "bash", "-c", script)

    def inspect(self, part: str) -> dict[str, Any]:
        return json.loads(docker("container", "inspect", self.container(part)))[0]

    def healthy(self, part: str) -> bool:
        state = self.inspect(part)["State"]
        return bool(state["Running"]) and state["Health"]["Status"] == "healthy"

    def client(self) -> httpx.Client:
        return httpx.Client(verify=ssl.create_default_context(cafile=str(self.authority)), trust_env=False, timeout=30)

    def token(self, client_id: str = "mcp-automation") -> str:
        return service_account_token(self.environment, client_id)

    def secret(self, name: str) -> str:
        return read_secret(self.environment.secrets, name)

    def echo(self, client: httpx.Client, token: str) -> httpx.Response:
        """Call a tool by the REST view."""
        headers = {"Authorization": f"Bearer {token}"}
        return client.post(f"{self.environment.public_url}/api/v1/tools/echo", json={"text": "x"}, headers=headers)

    def docker_root(self) -> TerraformRoot:
        environment = self.environment
        return up.docker_root(
            environment, Images(environment.recall("service_image"), environment.recall("keycloak_image"))
        )

    def realm_root(self) -> TerraformRoot:
        secrets = {name: self.secret(name) for name in (*up.confidential(up.read_contract()), "bootstrap-admin")}
        return up.realm_root(self.environment, secrets, REALM, "terraform", secrets)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackEnvironment]:
    """An environment that has values and a public certificate, and nothing on the engine."""
    state = tmp_path_factory.mktemp("stack")
    ports = {name: free_port() for name in ("http", "https", "auth", "operator")}
    values = {
        "image_digests": {},  # tests/images cannot have the published digests
        "bind_address": "127.0.0.1",
        "caller_requests_per_minute": 12_000,  # as `rates` below: the tests are few callers
        "public_url": f"https://localhost:{ports['https']}",
        "keycloak_public_url": f"https://localhost:{ports['auth']}",
        "network": "10.87.9.0/24",
        "ports": ports,
        "downstream": {"url": "http://api:8000/whoami"},  # nobody is there but in test_exchange.py
        "rates": {
            "login": {"rate": "50r/s", "burst": 200},
            "mcp": {"rate": "200r/s", "burst": 400, "streams": 64},
            "registration": {"rate": "6r/m", "burst": 5},
            "token": {"rate": "50r/s", "burst": 100},
        },
    }
    (state / "docker.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    secrets = state / "secrets"
    secrets.mkdir(mode=0o700)
    certificate, key = ensure_certificate(state / "tls", "public", ["localhost"])
    (secrets / TLS_CERTIFICATE).write_bytes(certificate.read_bytes())
    (secrets / TLS_KEY).write_bytes(key.read_bytes())
    for file in (TLS_CERTIFICATE, TLS_KEY):
        (secrets / file).chmod(0o400)
    patch = pytest.MonkeyPatch()
    patch.setenv("SECURE_MCP_ENVIRONMENT", NAME)
    patch.setenv("SECURE_MCP_STATE_DIR", str(state))
    patch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    environment = load_stack_environment()
    taken = [part for part in PARTS if exists("container", environment.container(part))]
    assert not taken, f"this machine runs an environment {NAME}: {taken}; destroy it first"
    trust_authority(environment.authority)
    yield environment
    patch.undo()


@pytest.fixture(scope="session")
def stack(prepared: StackEnvironment) -> Iterator[RunningStack]:
    """The running stack; destroyed at the end."""
    try:
        up.bring_up(prepared)
        environment = load_stack_environment()
        values = json.loads((environment.state / "docker.tfvars.json").read_text(encoding="utf-8"))
        yield RunningStack(environment, environment.authority, values["ports"]["http"])
    finally:
        up.destroy(load_stack_environment())


@pytest.fixture
def all_secrets(stack: RunningStack) -> dict[str, str]:
    """Every secret value of the environment, keys included, by name; of now, for other tests replace some."""
    files = [file for file in stack.environment.secrets.iterdir() if file.name != TLS_CERTIFICATE]
    files += list((stack.environment.state / "tls").glob("*.key"))
    return {file.name: file.read_text(encoding="ascii").strip() for file in files}


@pytest.fixture
def https(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


Recovered = Callable[[], bool]
