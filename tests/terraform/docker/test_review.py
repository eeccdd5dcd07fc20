"""`secure-mcp review` over plans of our own containers: silent about the declared ones, and aware of each bad edit."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.findings.model import Severity
from ops.review.judge import judge
from ops.review.plan import read_plan
from tests.review.mutations import load, missed
from tests.review.planning import docker_plans
from tests.review.record import differences
from tests.support.terraform import PLAN, REPOSITORY, Root

MUTATIONS = load("docker")
# One of each kind; all with SECURE_MCP_LONG=1 (make test-long).
QUICK = {"bound-to-all", "privileged", "socket-mounted", "secret-in-environment", "network-opened", "volume-renamed"}
# Nothing is started, so any image does, and the names must not be those of a stack that runs.
NAME = "staging"
VALUES = [
    "-var-file=../environments/dev/docker.tfvars", f"-var=environment={NAME}", "-var=network=10.87.9.0/24",
    "-var=image_digests={}", "-var=service_image=redis:8.2.8-bookworm", "-var=keycloak_image=redis:8.2.8-bookworm",
]  # fmt: skip
NOT_STARTED = """
resource "docker_container" "this" {
  start    = false
  must_run = false
  wait     = false
}
"""


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """The containers of our own, made but not started: a state as it is after an apply."""
    root = Root(tmp_path_factory.mktemp("reviewed"), "docker")
    shutil.copytree(REPOSITORY / "nginx", root.path.parents[1] / "nginx")
    (root.path / "container" / "not_started_override.tf").write_text(NOT_STARTED, encoding="utf-8")
    assert root.initialise().returncode == 0
    try:
        root.succeed("apply", "-no-color", "-input=false", "-auto-approve", *VALUES)
        yield root
    finally:
        root.succeed("destroy", "-no-color", "-input=false", "-auto-approve", *VALUES)
        volumes = [f"secure-mcp-{NAME}-secrets-{part}" for part in ("edge", "keycloak", "postgres", "redis", "service")]
        subprocess.run(["docker", "volume", "rm", "--force", *volumes], check=True, capture_output=True)


@pytest.mark.requirement("REVIEW-CLEAN")
@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_first_plan_of_an_environment_weakens_nothing(applied: Root, environment: str) -> None:
    values = REPOSITORY / "terraform" / "environments" / environment / "docker.tfvars"
    images = ["-var=service_image=secure-mcp/service:test", "-var=keycloak_image=secure-mcp/keycloak:test"]
    options = ["-refresh=false", "-state=none.tfstate", "-lock=false", f"-out={PLAN}", f"-var-file={values}", *images]
    applied.succeed("plan", "-no-color", "-input=false", *options)
    findings = judge(read_plan(applied.succeed("show", "-json", PLAN).encode(), environment))
    assert [found for found in findings if found.severity >= Severity.MEDIUM] == []
    # What is left: images of our own go by their tags; outside dev the edge serves everybody on the ports of the web.
    remarks = {"image-by-tag"} if environment == "dev" else {"image-by-tag", "port-web"}
    assert {found.id for found in findings} == remarks


@pytest.mark.requirement("REVIEW-RULES")
def test_the_provider_plans_the_cases_as_recorded(tmp_path: Path) -> None:
    plans = docker_plans(tmp_path)
    assert [line for name, plan in plans.items() for line in differences(name, plan)] == []


@pytest.mark.requirement("REVIEW-MUTATIONS")
def test_bad_edits_are_named(applied: Root, tmp_path: Path) -> None:
    chosen = MUTATIONS if os.environ.get("SECURE_MCP_LONG") else [edit for edit in MUTATIONS if edit.id in QUICK]
    assert len(chosen) >= len(QUICK)
    assert missed(applied, chosen, tmp_path, VALUES, {}) == {}
