"""The optional part `observability`: as hardened as the rest, and reachable from this machine only."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.docker.test_plan import PARTS, planned, root, terraform

__all__ = ["root"]  # the fixture

EXPORTERS = {"nginx-exporter", "redis-exporter", "postgres-exporter"}
MORE = {"prometheus", "alertmanager", "grafana", *EXPORTERS}


def plan_of(root: Path, more: str, *others: str) -> dict[str, Any]:
    values = ["-var=service_image=secure-mcp/service:test", "-var=keycloak_image=secure-mcp/keycloak:test", *others]
    values.append(f'-var=observability={{image="secure-mcp/observability:test",{more}}}')
    terraform(root, "plan", "-input=false", "-refresh=false", "-out=observed.tfplan",
              "-var-file=../environments/dev/docker.tfvars", *values)  # fmt: skip
    plan: dict[str, Any] = json.loads(terraform(root, "show", "-json", "observed.tfplan"))
    return plan


@pytest.fixture(scope="module")
def observed(root: Path) -> dict[str, Any]:
    return plan_of(root, 'webhook_url="http://hook.example/x"')


def container(plan: dict[str, Any], part: str) -> dict[str, Any]:
    (found,) = [item for item in planned(plan, "docker_container") if item["name"] == f"secure-mcp-dev-{part}"]
    return found


def networks(plan: dict[str, Any], part: str) -> set[str]:
    used = container(plan, part)["networks_advanced"]
    return {network["name"].removeprefix("secure-mcp-dev-") for network in used}


@pytest.mark.requirement("STACK-PORTS", "METRICS")
def test_who_looks_at_what(observed: dict[str, Any]) -> None:
    assert {part: networks(observed, part) for part in MORE} == {
        "prometheus": {"app", "observe"},
        "alertmanager": {"observe", "tell"},
        "grafana": {"observe", "edge"},
        "nginx-exporter": {"app"},
        "redis-exporter": {"data", "observe"},
        "postgres-exporter": {"data", "observe"},
    }
    ways_out = {network["name"] for network in planned(observed, "docker_network") if not network["internal"]}
    assert ways_out == {"secure-mcp-dev-edge", "secure-mcp-dev-tell"}
    assert {part for part in MORE | PARTS if container(observed, part)["dns"] != ["127.0.0.1"]} == {"alertmanager"}


@pytest.mark.requirement("STACK-PORTS")
def test_without_a_webhook_nothing_leads_out_and_grafana_may_be_left_out(root: Path) -> None:
    plan = plan_of(root, "grafana=false")
    names = {found["name"].removeprefix("secure-mcp-dev-") for found in planned(plan, "docker_container")}
    assert names == PARTS | MORE - {"grafana"}
    assert networks(plan, "alertmanager") == {"observe"}
    ways_out = {network["name"] for network in planned(plan, "docker_network") if not network["internal"]}
    assert ways_out == {"secure-mcp-dev-edge"}
    assert {image["name"] for image in planned(plan, "docker_image") if "grafana" in image["name"]} == set()


@pytest.mark.requirement("METRICS")
def test_where_the_host_has_the_edge_its_own_exporter_is_asked(root: Path) -> None:
    plan = plan_of(root, 'nginx_exporters=["10.87.1.65:9113"]', "-var=edge=host")
    names = {found["name"].removeprefix("secure-mcp-dev-") for found in planned(plan, "docker_container")}
    assert names == (PARTS - {"edge"}) | (MORE - {"nginx-exporter"})
    assert '["10.87.1.65:9113"]' in "".join(container(plan, "prometheus")["env"])


@pytest.mark.requirement("STACK-SECRECY")
def test_the_exporters_get_their_passwords_as_files(observed: dict[str, Any]) -> None:
    for part in ("redis-exporter", "postgres-exporter"):
        found = container(observed, part)
        (mount,) = found["mounts"]
        assert (mount["source"], mount["target"]) == (f"secure-mcp-dev-secrets-{part}", "/run/secrets")
        assert mount["read_only"]
        said = " ".join([*found["command"], *(found.get("env") or ())]).lower()
        assert "/run/secrets/password" in said
        assert "redis://redis:6379" in said or "sslmode" in said


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
