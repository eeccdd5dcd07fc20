"""The optional part `observability`: as hardened as the rest, and reachable from this machine only."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.docker.test_plan import PARTS, planned, root, terraform

__all__ = ["root"]  # the fixture

MORE = {"prometheus", "alertmanager", "grafana", "nginx-exporter"}


@pytest.fixture(scope="module")
def observed(root: Path) -> dict[str, Any]:
    values = ["-var=service_image=secure-mcp/service:test", "-var=keycloak_image=secure-mcp/keycloak:test"]
    values.append('-var=observability={image="secure-mcp/observability:test",webhook_url="http://hook.example/x"}')
    terraform(root, "plan", "-input=false", "-refresh=false", "-out=observed.tfplan",
              "-var-file=../environments/dev/docker.tfvars", *values)  # fmt: skip
    plan: dict[str, Any] = json.loads(terraform(root, "show", "-json", "observed.tfplan"))
    return plan


@pytest.mark.requirement("STACK-HARDENING")
def test_each_container_is_hardened_and_has_a_user_of_its_own(observed: dict[str, Any]) -> None:
    containers = planned(observed, "docker_container")
    assert {container["name"].removeprefix("secure-mcp-dev-") for container in containers} == PARTS | MORE
    assert all(
        container["read_only"] and container["capabilities"] == [{"add": [], "drop": ["ALL"]}]
        for container in containers
    )
    users = [container["user"] for container in containers]
    assert len(set(users)) == len(users)


@pytest.mark.requirement("STACK-PORTS", "METRICS")
def test_only_grafana_is_published_and_only_here(observed: dict[str, Any]) -> None:
    published = {
        (container["name"].removeprefix("secure-mcp-dev-"), port["internal"], port["ip"])
        for container in planned(observed, "docker_container")
        for port in container["ports"] or ()
    }
    assert {entry for entry in published if entry[0] in MORE} == {("grafana", 3000, "127.0.0.1")}
    assert not any(internal in {8081, 9000, 9464} for _, internal, _ in published)


@pytest.mark.requirement("METRICS")
def test_the_service_has_its_management_port_and_no_template_names_it(observed: dict[str, Any]) -> None:
    (service,) = [found for found in planned(observed, "docker_container") if found["name"].endswith("-service")]
    assert "SECURE_MCP_MANAGEMENT_PORT=9464" in service["env"]
    (edge,) = [found for found in planned(observed, "docker_container") if found["name"].endswith("-edge")]
    assert "9464" not in "".join(edge["env"])
