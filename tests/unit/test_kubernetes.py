"""Manifests of `secure-mcp kubernetes`: what the API, the Pod Security Standard and the service say of them."""

import copy
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner

from ops.cli import app
from ops.errors import OperatorError
from ops.kubernetes.command import as_yaml, manifests
from ops.kubernetes.values import CONTRACT_FOLDER, MANAGEMENT_PORT, PORT, SECRETS_FOLDER, USER, Cluster
from ops.kubernetes.workload import environment
from scripts.environment_table import read_values
from service.settings import PREFIX, load_settings
from tests.unit import pod_security
from tests.unit.tokens import make_keys, send

ROOT = Path(__file__).parents[2]
# What stands still in all of them: the action `sleep` of preStop is on by default from 1.30 on.
VERSIONS = [f"1.{minor}" for minor in range(30, 38)]
GOOD: dict[str, Any] = {
    "image": "registry/secure-mcp:1.2.0",
    "public_url": "https://mcp.example.com",
    "keycloak_public_url": "https://auth.example.com",
    "edge_network": "10.244.0.0/16",
}
OPTIONS = ["--image", GOOD["image"], "--edge-network", GOOD["edge_network"]]

pytestmark = pytest.mark.requirement("KUBERNETES")

Manifest = dict[str, Any]


def made(**changes: Any) -> dict[str, Manifest]:
    """Return the manifests as a cluster reads them, by kind."""
    text = as_yaml(manifests(Cluster(**(GOOD | {"max_replicas": 8} | changes))))
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


def pod(deployment: Manifest) -> Manifest:
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


def test_everything_is_there_and_nothing_secret() -> None:
    assert list(made()) == [
        "Namespace",
        "NetworkPolicy",
        "ConfigMap",
        "Service",
        "Deployment",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
    ]
    assert "HorizontalPodAutoscaler" not in made(max_replicas=2)
    assert "replicas" not in made()["Deployment"]["spec"]  # it is the autoscaler's
    assert made(max_replicas=2)["Deployment"]["spec"]["replicas"] == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_the_api_knows_every_word(version: str) -> None:
    for manifest in made().values():
        assert kubernetes_validate.validate(manifest, version, strict=True) == version


@pytest.mark.parametrize(
    ("kind", "break_it"),
    [
        ("Deployment", lambda found: found["spec"].pop("template")),
        ("Deployment", lambda found: pod(found).update(automountServiceAccountTokens=False)),
        ("Deployment", lambda found: pod(found)["containers"][0]["resources"].update(limits="512Mi")),
        ("Deployment", lambda found: pod(found)["containers"][0]["livenessProbe"].update(periodSeconds="10s")),
        ("NetworkPolicy", lambda found: found["spec"]["egress"][0]["ports"][0].update(protocols="UDP")),
        ("PodDisruptionBudget", lambda found: found["spec"].update(minimumAvailable=1)),
        ("HorizontalPodAutoscaler", lambda found: found["spec"].pop("maxReplicas")),
    ],
)
def test_a_broken_manifest_is_refused(kind: str, break_it: Callable[[Manifest], object]) -> None:
    """That the judge of the test before judges."""
    manifest = made()[kind]
    break_it(manifest)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_the_restricted_pod_security_standard_is_kept() -> None:
    found = made()
    assert pod_security.broken(pod(found["Deployment"])) == []
    labels = found["Namespace"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(
    ("control", "break_it"),
    [
        ("host namespaces", lambda pod: pod.update(hostNetwork=True)),
        ("privileged", lambda pod: pod["containers"][0]["securityContext"].update(privileged=True)),
        ("volume types", lambda pod: pod["volumes"].append({"name": "host", "hostPath": {"path": "/"}})),
        ("host ports", lambda pod: pod["containers"][0]["ports"][0].update(hostPort=80)),
        ("privilege escalation", lambda pod: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation")),
        ("running as non-root", lambda pod: pod["securityContext"].pop("runAsNonRoot")),
        ("running as root user", lambda pod: pod["containers"][0]["securityContext"].update(runAsUser=0)),
        ("seccomp", lambda pod: pod["securityContext"].pop("seccompProfile")),
        ("capabilities", lambda pod: pod["containers"][0]["securityContext"]["capabilities"].update(add=["NET_RAW"])),
        ("capabilities", lambda pod: pod["containers"][0]["securityContext"].pop("capabilities")),
        ("sysctls", lambda pod: pod["securityContext"].update(sysctls=[{"name": "kernel.msgmax", "value": "1"}])),
    ],
)
def test_a_pod_that_breaks_a_control_is_found(control: str, break_it: Callable[[Manifest], object]) -> None:
    found = copy.deepcopy(pod(made()["Deployment"]))
    break_it(found)
    assert pod_security.broken(found) == [control]


def test_no_pod_has_more_than_it_needs() -> None:
    found = pod(made()["Deployment"])
    (container,) = found["containers"]
    assert found["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert all(mount.get("readOnly") for mount in container["volumeMounts"] if mount["name"] != "tmp")
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"] == "512Mi"
    secrets = next(volume["secret"] for volume in found["volumes"] if "secret" in volume)
    assert secrets["defaultMode"] == 0o440
    assert not any("valueFrom" in one or "SECRET=" in one["value"] for one in container["env"])


def test_the_service_starts_with_what_a_pod_gives_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    secrets = {"client_secret": "h7Kq0sV2bX9yLm4TzE6w", "redis_url": "redis://:h7Kq0sV2bX9yLm4TzE6w@redis:6379/0"}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value, encoding="utf-8")
    (tmp_path / "access.yaml").write_text(made()["ConfigMap"]["data"]["access.yaml"], encoding="utf-8")
    for name, value in environment(Cluster(**GOOD)).items():
        place = re.sub(f"^({SECRETS_FOLDER}|{CONTRACT_FOLDER})", str(tmp_path), value)
        monkeypatch.setenv(name, place)
    settings = load_settings()
    assert (settings.port, settings.management_port, settings.workers) == (PORT, MANAGEMENT_PORT, 2)
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == secrets["client_secret"]
    assert settings.access_contract.read_text(encoding="utf-8") == (ROOT / "access.yaml").read_text(encoding="utf-8")
    # A Service of this name would set it to tcp://..., and no pod would start.
    assert pod(made()["Deployment"])["enableServiceLinks"] is False


@pytest.mark.parametrize("name", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_the_service_answers_its_probes(name: str) -> None:
    request = pod(made()["Deployment"])["containers"][0][name]["httpGet"]
    settings = {
        "environment": "prod",
        "audience": f"{GOOD['public_url']}/mcp",
        "issuer": f"{GOOD['keycloak_public_url']}/realms/mcp-realm",
    }
    headers = {header["name"]: header["value"] for header in request["httpHeaders"]}
    found = send("GET", request["path"], settings=settings, keys=make_keys(), headers=headers)
    assert found.status_code == 200
    # A kubelet alone would name the address of the pod.
    alone = send("GET", request["path"], settings=settings, keys=make_keys(), headers={"Host": "10.244.1.7:8000"})
    assert alone.status_code == 421


def test_who_may_call_and_be_called() -> None:
    spec = made()["NetworkPolicy"]["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    ports = {way: [[port["port"] for port in rule["ports"]] for rule in spec[way]] for way in ("ingress", "egress")}
    assert ports == {"ingress": [[PORT], [MANAGEMENT_PORT]], "egress": [[53, 53], [8080], [6379]]}
    # A rule without peers would be one for the whole world.
    assert all(rule.get("from") or rule.get("to") for way in ("ingress", "egress") for rule in spec[way])


def test_another_contract_makes_new_pods(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "access.yaml"
    other.write_text((ROOT / "access.yaml").read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    before = made()["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    monkeypatch.setattr("ops.kubernetes.command.CONTRACT", other)
    assert made()["Deployment"]["spec"]["template"]["metadata"]["annotations"] != before


def test_image_and_pod_agree_about_user_and_port() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"USER {USER}:{USER}\n" in text
    assert f"EXPOSE {PORT}\n" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": "registry/secure-mcp"}, "--image"),
        ({"image": "registry/secure-mcp:latest"}, "--image"),
        ({"image": "registry/secure-mcp@sha256:123"}, "--image"),
        ({"public_url": "http://mcp.example.com"}, "--public-url"),
        ({"public_url": "https://mcp.example.com/"}, "--public-url"),
        ({"keycloak_public_url": "https://auth.example.com/realms/x"}, "--keycloak-public-url"),
        ({"keycloak": "keycloak.other.svc:8080"}, "--keycloak"),
        ({"keycloak": "keycloak-service"}, "--keycloak"),
        ({"edge_network": "0.0.0.0/0"}, "--edge-network"),
        ({"edge_network": "pods"}, "--edge-network"),
        ({"namespace": "Secure_MCP"}, "--namespace"),
        ({"replicas": 4, "max_replicas": 3}, "--max-replicas"),
    ],
)
def test_wrong_values_are_refused_by_name(change: dict[str, Any], said: str) -> None:
    with pytest.raises(OperatorError) as caught:
        Cluster(**(GOOD | change))
    assert caught.value.problem.startswith(said)
    assert caught.value.next_step


def test_a_digest_is_an_image() -> None:
    assert Cluster(**(GOOD | {"image": f"registry:5000/team/secure-mcp@sha256:{'0' * 64}"}))


def test_the_command_prints_what_kubectl_takes() -> None:
    runner = CliRunner()
    text = runner.invoke(app, ["kubernetes", *OPTIONS], prog_name="secure-mcp")
    data = runner.invoke(app, ["kubernetes", *OPTIONS, "--json"], prog_name="secure-mcp")
    assert (text.exit_code, data.exit_code) == (0, 0)
    assert json.loads(data.stdout)["items"] == list(yaml.safe_load_all(text.stdout))
    assert "*id" not in text.stdout  # no alias, so that people can read it


@pytest.mark.requirement("CALLER-RATE")
def test_a_caller_has_one_rate_at_all_pods_unless_it_is_lifted() -> None:
    name = "SECURE_MCP_CALLER_REQUESTS_PER_MINUTE"
    assert environment(Cluster(**GOOD))[name] == "3000"
    assert name not in environment(Cluster(**GOOD | {"caller_requests_per_minute": None}))


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_urls_are_those_of_the_environment(name: str) -> None:
    values = read_values((ROOT / f"terraform/environments/{name}/docker.tfvars").read_text(encoding="utf-8"))
    done = CliRunner().invoke(app, ["kubernetes", *OPTIONS, "--environment", name, "--json"], prog_name="secure-mcp")
    (deployment,) = [one for one in json.loads(done.stdout)["items"] if one["kind"] == "Deployment"]
    settings = {one["name"]: one["value"] for one in pod(deployment)["containers"][0]["env"]}
    assert settings["SECURE_MCP_AUDIENCE"] == f"{values['public_url'].strip(chr(34))}/mcp"
    assert settings["SECURE_MCP_ISSUER"] == f"{values['keycloak_public_url'].strip(chr(34))}/realms/mcp-realm"
    assert settings["SECURE_MCP_ENVIRONMENT"] == name
