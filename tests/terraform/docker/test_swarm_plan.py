"""What terraform/docker/swarm plans, read from the plan itself; there is no Swarm, and nothing is made."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.environment import REPOSITORY
from tests.terraform.docker.test_plan import PARTS, planned, terraform

DIGESTS = dict.fromkeys(PARTS, f"sha256:{'0' * 64}")
VALUES: dict[str, Any] = {
    "topology": "swarm",
    "bind_address": "0.0.0.0",  # noqa: S104 - of the nodes
    "registry": "registry.example.com:5000",
    "image_digests": DIGESTS,
    "keycloak_image": "secure-mcp/keycloak:test",
    "service_image": "secure-mcp/service:test",
    "secrets": {part: {"file": {"id": f"id-{part}", "name": f"name-{part}"}} for part in PARTS},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("terraform")
    for folder in ("terraform", "nginx"):
        shutil.copytree(REPOSITORY / folder, top / folder, ignore=shutil.ignore_patterns(".terraform", "*.lock.hcl"))
    shutil.copyfile(REPOSITORY / "access.yaml", top / "access.yaml")
    terraform(top / "terraform" / "docker" / "swarm", "init", "-input=false")
    return top / "terraform" / "docker" / "swarm"


def plan(root: Path, environment: str = "staging", **values: Any) -> dict[str, Any]:
    """Plan an environment with these values on top."""
    (root / "site.tfvars.json").write_text(json.dumps(VALUES | values), encoding="utf-8")
    files = [f"-var-file=../../environments/{environment}/docker.tfvars", "-var-file=site.tfvars.json"]
    terraform(root, "plan", "-input=false", "-refresh=false", "-out=tested.tfplan", *files)
    return json.loads(terraform(root, "show", "-json", "tested.tfplan"))


def services(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {service["name"].rsplit("-", 1)[1]: service for service in planned(found, "docker_service")}


@pytest.fixture(scope="module", params=["staging", "prod"])
def found(request: pytest.FixtureRequest, root: Path) -> dict[str, Any]:
    return plan(root, request.param)


def container(service: dict[str, Any]) -> dict[str, Any]:
    return service["task_spec"][0]["container_spec"][0]


@pytest.mark.requirement("SWARM-HARDENED")
def test_every_service_is_hardened_and_bounded(found: dict[str, Any]) -> None:
    assert set(services(found)) == PARTS
    for part, service in services(found).items():
        spec = container(service)
        assert (spec["read_only"], spec["cap_drop"], spec["init"]) == (True, ["ALL"], True), part
        assert not spec["user"].startswith("0"), part
        assert service["task_spec"][0]["resources"][0]["limits"][0]["memory_bytes"] > 0, part
        assert spec["image"].endswith(f"@{DIGESTS[part]}"), part
        assert spec["image"].startswith("registry.example.com:5000/"), part


@pytest.mark.requirement("SWARM-SECRETS")
def test_terraform_makes_no_secret_and_mounts_each_for_its_user_alone(found: dict[str, Any]) -> None:
    assert planned(found, "docker_secret") == []
    for part, service in services(found).items():
        mounted = container(service)["secrets"]
        assert [(file["secret_id"], file["file_mode"]) for file in mounted] == [(f"id-{part}", 0o400)]
        assert mounted[0]["file_uid"] == container(service)["user"].split(":")[0]


@pytest.mark.requirement("SWARM-DOOR")
def test_nothing_is_published_but_nginx_and_not_its_door(found: dict[str, Any]) -> None:
    published = {part: service["endpoint_spec"][0]["ports"] for part, service in services(found).items()}
    assert {part for part, ports in published.items() if ports} == {"edge"}
    assert {(port["published_port"], port["publish_mode"]) for port in published["edge"]} == {
        (80, "host"),
        (443, "host"),
    }
    door = next(c for c in planned(found, "docker_config") if "operator.conf" in c["name"])
    assert "listen 127.0.0.1:9443 ssl;" in base64.b64decode(door["data"]).decode()
    networks = {network["name"].rsplit("-", 1)[1]: network for network in planned(found, "docker_network")}
    assert {name for name, network in networks.items() if not network["internal"]} == {"edge"}
    assert all(network["options"] == {"encrypted": ""} for network in networks.values())


@pytest.mark.requirement("SWARM-UPDATE")
def test_what_has_several_tasks_starts_the_new_one_first_and_goes_back_by_itself(found: dict[str, Any]) -> None:
    order = {part: service["update_config"][0]["order"] for part, service in services(found).items()}
    assert {part for part, word in order.items() if word == "start-first"} == {"keycloak", "service"}
    assert {service["update_config"][0]["failure_action"] for service in services(found).values()} == {"rollback"}
    assert {service["endpoint_spec"][0]["mode"] for service in services(found).values()} == {"dnsrr"}


@pytest.mark.requirement("CALLER-RATE")
def test_a_caller_has_a_rate_on_a_swarm_unless_it_is_lifted(root: Path) -> None:
    for value, expected in (
        ({}, {"SECURE_MCP_CALLER_REQUESTS_PER_MINUTE": "3000"}),
        ({"caller_requests_per_minute": None}, {}),
    ):
        env = container(services(plan(root, **value))["service"])["env"]
        assert {name: text for name, text in env.items() if "CALLER" in name} == expected


WRONG = {
    "one engine's root": ({"topology": "containers"}, "whose root is terraform/docker"),
    "an edge of the host": ({"edge": "host"}, "Nginx is a service"),
    "one address": ({"bind_address": "127.0.0.1"}, "write 0.0.0.0"),
    "an image by its tag": ({"image_digests": {"edge": DIGESTS["edge"]}}, "run: secure-mcp swarm push"),
    "one task": ({"replicas": {"service": 1}}, "fewer than 2"),
    "a registry with a scheme": ({"registry": "https://registry.example.com"}, "without https://"),
    "plain data of a protected environment": (
        {"overlay_encrypted": False, "deletion_protection": True},
        "encrypts what goes between its nodes",
    ),
    "the part that is not there": ({"observability": {"image": "x:1"}}, "not there for a Swarm"),
}


@pytest.mark.requirement("SWARM-HARDENED")
@pytest.mark.parametrize("case", WRONG)
def test_what_a_swarm_cannot_do_is_refused(root: Path, case: str) -> None:
    values, words = WRONG[case]
    with pytest.raises(AssertionError) as refused:
        plan(root, **values)
    said = " ".join(str(refused.value).replace("│", " ").split())
    assert words in said


@pytest.mark.requirement("SWARM-UP")
def test_the_root_of_one_engine_refuses_a_swarm(root: Path) -> None:
    (root / "site.tfvars.json").write_text(json.dumps(VALUES), encoding="utf-8")
    terraform(root.parent, "init", "-input=false")
    done = subprocess.run(
        ["terraform", "plan", "-no-color", "-input=false", "-refresh=false", "-var-file=swarm/site.tfvars.json",
         "-var-file=../environments/staging/docker.tfvars"],
        cwd=root.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "`secure-mcp swarm up` goes there" in " ".join(done.stderr.replace("│", " ").split())
