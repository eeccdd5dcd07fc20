"""What terraform/docker plans for each environment, read from the plan itself; nothing is made on the engine."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.environment import REPOSITORY

ENVIRONMENTS = ("dev", "staging", "prod")
PARTS = {"edge", "keycloak", "postgres", "redis", "service"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work copy: a provider from a local mirror never has the published hashes of a lock file."""
    top = tmp_path_factory.mktemp("terraform")
    for folder in ("terraform", "nginx"):
        shutil.copytree(REPOSITORY / folder, top / folder, ignore=shutil.ignore_patterns(".terraform", "*.lock.hcl"))
    shutil.copyfile(REPOSITORY / "access.yaml", top / "access.yaml")
    terraform(top / "terraform" / "docker", "init", "-input=false", "-backend=false")
    (top / "terraform" / "docker" / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    terraform(top / "terraform" / "docker", "init", "-input=false")
    return top / "terraform" / "docker"


def terraform(folder: Path, *arguments: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        ["terraform", arguments[0], "-no-color", *arguments[1:]],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def plan(request: pytest.FixtureRequest, root: Path) -> dict[str, Any]:
    file = root / f"{request.param}.tfplan"
    values = ["-var=service_image=secure-mcp/service:test", "-var=keycloak_image=secure-mcp/keycloak:test"]
    terraform(root, "plan", "-input=false", "-refresh=false", f"-out={file}",
              f"-var-file=../environments/{request.param}/docker.tfvars", *values)  # fmt: skip
    return json.loads(terraform(root, "show", "-json", str(file))) | {"environment": request.param}


@pytest.mark.requirement("HOST-STACK")
def test_a_host_with_its_own_edge_publishes_nothing(root: Path) -> None:
    file = root / "host.tfplan"
    values = ["-var=service_image=secure-mcp/service:test", "-var=keycloak_image=secure-mcp/keycloak:test"]
    terraform(root, "plan", "-input=false", "-refresh=false", f"-out={file}", "-var=edge=host",
              "-var-file=../environments/prod/docker.tfvars", *values)  # fmt: skip
    plan = json.loads(terraform(root, "show", "-json", str(file)))
    containers = {container["name"].rsplit("-", 1)[1]: container for container in planned(plan, "docker_container")}
    assert set(containers) == PARTS - {"edge"}
    assert not any(container["ports"] for container in containers.values())
    assert all(network["internal"] for network in planned(plan, "docker_network"))
    # The addresses in ansible/group_vars/vm/stack.yml.
    fixed = {part: containers[part]["networks_advanced"] for part in ("keycloak", "service")}
    addresses = {part: {network["ipv4_address"] for network in networks} for part, networks in fixed.items()}
    assert "10.87.3.75" in addresses["keycloak"]
    assert "10.87.3.76" in addresses["service"]
    environment = {part: dict(pair.split("=", 1) for pair in containers[part]["env"]) for part in fixed}
    assert environment["service"]["SECURE_MCP_TRUSTED_PROXIES"] == "10.87.3.65"
    assert environment["keycloak"]["KC_PROXY_TRUSTED_ADDRESSES"] == "10.87.3.65"


def resources(module: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = [item["values"] for item in module.get("resources", []) if item["type"] == kind]
    return found + [value for child in module.get("child_modules", []) for value in resources(child, kind)]


def planned(plan: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return resources(plan["planned_values"]["root_module"], kind)


@pytest.mark.requirement("STACK-HARDENING")
def test_every_container_is_hardened(plan: dict[str, Any]) -> None:
    containers = planned(plan, "docker_container")
    assert {container["name"].rsplit("-", 1)[1] for container in containers} == PARTS
    for container in containers:
        assert container["read_only"], container["name"]
        assert container["security_opts"] == ["no-new-privileges:true"]
        assert container["capabilities"] == [{"add": [], "drop": ["ALL"]}]
        assert not container["privileged"]
        assert 0 < container["memory"] == container["memory_swap"]
        assert float(container["cpus"]) > 0
        assert {limit["name"] for limit in container["ulimit"]} == {"nofile", "nproc"}
        assert container["healthcheck"]
        assert container["wait"]
        assert container["log_opts"] == {"max-size": "10m", "max-file": "5"}
        assert all(mount["type"] == "volume" for mount in container["mounts"])
    users = [container["user"] for container in containers]
    assert len(set(users)) == len(users)  # the process limit counts by user


@pytest.mark.requirement("OPS-ADDRESS")
def test_the_service_and_keycloak_believe_the_edge_alone_about_addresses(plan: dict[str, Any]) -> None:
    containers = {container["name"].rsplit("-", 1)[1]: container for container in planned(plan, "docker_container")}
    edge = [network["ipv4_address"] for network in containers["edge"]["networks_advanced"] if network["ipv4_address"]]
    environment = {part: dict(pair.split("=", 1) for pair in containers[part]["env"]) for part in PARTS}
    assert [environment["service"]["SECURE_MCP_TRUSTED_PROXIES"]] == edge
    assert [environment["keycloak"]["KC_PROXY_TRUSTED_ADDRESSES"]] == edge


@pytest.mark.requirement("EXCHANGE-OFF")
def test_the_tool_that_calls_another_api_is_off_unless_its_api_is_named(root: Path, plan: dict[str, Any]) -> None:
    assert [pair for pair in service_settings(plan) if "DOWNSTREAM" in pair] == []
    values = ["-var=service_image=secure-mcp/service:test", "-var=keycloak_image=secure-mcp/keycloak:test"]
    file = root / "downstream.tfplan"
    terraform(root, "plan", "-input=false", "-refresh=false", f"-out={file}", '-var=downstream={"url":"http://api:8000/who"}',
              f"-var-file=../environments/{plan['environment']}/docker.tfvars", *values)  # fmt: skip
    named = service_settings(json.loads(terraform(root, "show", "-json", str(file))))
    assert {pair for pair in named if "DOWNSTREAM" in pair} == {
        "SECURE_MCP_DOWNSTREAM_URL=http://api:8000/who",
        "SECURE_MCP_DOWNSTREAM_AUDIENCE=downstream-api",
    }


@pytest.mark.requirement("CALLER-RATE")
def test_a_caller_may_send_what_the_edge_lets_one_address_send(plan: dict[str, Any]) -> None:
    rate = {pair for pair in service_settings(plan) if "CALLER" in pair}
    expected = {"SECURE_MCP_CALLER_REQUESTS_PER_MINUTE=3000"}
    assert rate == (set() if plan["environment"] == "dev" else expected)


def service_settings(plan: dict[str, Any]) -> set[str]:
    (service,) = [found for found in planned(plan, "docker_container") if found["name"].endswith("-service")]
    return set(service["env"])


@pytest.mark.requirement("STACK-PORTS")
def test_only_the_edge_is_published(plan: dict[str, Any]) -> None:
    for container in planned(plan, "docker_container"):
        ports = container["ports"]
        assert bool(ports) == container["name"].endswith("-edge")
        assert [port["ip"] for port in ports if port["internal"] == 9443] in ([], ["127.0.0.1"])
        if plan["environment"] == "dev":
            assert {port["ip"] for port in ports} <= {"127.0.0.1"}
    networks = {network["name"].rsplit("-", 1)[1]: network["internal"] for network in planned(plan, "docker_network")}
    assert networks == {"edge": None, "app": True, "data": True} or networks == {
        "edge": False,
        "app": True,
        "data": True,
    }


@pytest.mark.requirement("STACK-UP")
def test_images_of_others_are_pinned_by_digest(plan: dict[str, Any]) -> None:
    names = [image["name"] for image in planned(plan, "docker_image")]
    foreign = [name for name in names if not name.startswith("secure-mcp/")]
    assert len(foreign) == 3
    assert all("@sha256:" in name and ":latest" not in name for name in foreign)


@pytest.mark.requirement("STACK-PROTECTION")
def test_only_prod_is_protected(plan: dict[str, Any]) -> None:
    (protection,) = planned(plan, "terraform_data")
    assert protection["input"] is (plan["environment"] == "prod")


@pytest.mark.requirement("STACK-UP")
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("public_url=http://mcp.example.com", "no https origin"),
        ("public_url=https://mcp.example.com/", "no https origin"),
        ("bind_address=localhost", "write an IPv4 address"),
        ("environment=test", "write dev, staging or prod"),
        ("workers=0", "write a number from 1 to 64"),
        ("caller_requests_per_minute=0", "write a whole number from 1 on, or null"),
        ("caller_requests_per_minute=0.5", "write a whole number from 1 on, or null"),
        ("keycloak_image=secure-mcp/keycloak:26.7.4-abc-cimd", "was built for the opposite"),
        ("network=10.87.1.0/29", "write one such as 10.87.1.0/24"),
        ("keycloak_public_url=https://localhost:8443", "same host and the same port"),
        ('downstream={"url":"http://api.example.com/"}', "write http://<container in the network app>:<port>/path"),
        ('downstream={"url":"https://user:word@api/"}', "without a user"),
    ],
)
def test_a_wrong_value_is_refused_with_the_remedy(root: Path, value: str, says: str) -> None:
    env = {name: text for name, text in os.environ.items() if not name.startswith("TF_")}
    extra = (
        ['-var=ports={"http":8081,"https":8443,"auth":8443,"operator":8445}'] if "keycloak_public_url" in value else []
    )
    done = subprocess.run(
        ["terraform", "plan", "-no-color", "-input=false", "-refresh=false",
         "-var-file=../environments/dev/docker.tfvars",
         "-var=service_image=a:b", "-var=keycloak_image=a:b", f"-var={value}", *extra],
        cwd=root, env=env, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode != 0
    assert says in " ".join(done.stderr.replace("│", " ").split())
