"""The pipelines' own commands on a scratch environment: the realm of a real Keycloak, a state and values of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
import pytest
import yaml

from tests.terraform.keycloak.conftest import Applied

REPOSITORY = Path(__file__).resolve().parents[3]
WITHIN_S = 600

pytestmark = pytest.mark.requirement("CI-PLAN")


def lines_of(workflow: str, job: str) -> list[str]:
    """Return the `make` lines of a job."""
    text = (REPOSITORY / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
    scripts = [step.get("run", "") for step in yaml.safe_load(text)["jobs"][job]["steps"]]
    return [line for script in scripts for line in script.splitlines() if line.startswith("make ")]


@dataclass
class Pipeline:
    """The environment that a pipeline's job has."""

    folder: Path
    applied: Applied
    identity: str
    recipient: str
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def values(self, **more: object) -> None:
        """Write the values of the environment: those that the realm was applied with, and more."""
        own = dict(argument.removeprefix("-var=").split("=", 1) for argument in self.applied.variables) | more
        target = self.folder / "environments" / "dev"
        target.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in own.items())
        (target / "keycloak.tfvars").write_text(text, encoding="utf-8")
        state = self.applied.root.path / "terraform.tfstate"
        (target / "keycloak.backend.hcl").write_text(f"path = {json.dumps(str(state))}\n", encoding="utf-8")

    def run(self, line: str, *, opens: bool = False, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a line of a workflow as its job would; only a protected environment has the identity."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SECURE_MCP_", "MAKE"))}
        own = {
            "ENV": "dev",
            "ROOT": "keycloak",
            "SECURE_MCP_ENVIRONMENTS": str(self.folder / "environments"),
            "SECURE_MCP_CI_RESULTS": str(self.results),
            "SECURE_MCP_CI_RECIPIENT": self.recipient,
        } | ({"SECURE_MCP_CI_IDENTITY": self.identity} if opens else {})
        return subprocess.run(
            ["bash", "-ec", line],
            cwd=REPOSITORY,
            env=inherited | self.applied.environment(bootstrap=False) | own | self.extra | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )


@pytest.fixture(scope="module")
def pipeline(applied: Applied, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline, and at the end the realm as it was."""
    identity = pyrage.x25519.Identity.generate()
    pipeline = Pipeline(tmp_path_factory.mktemp("ci"), applied, str(identity), str(identity.to_public()))
    pipeline.extra = {"TF_VAR_admin_realm": applied.realm.name}
    yield pipeline
    applied.apply()


(PLAN,) = lines_of("plan.yml", "plan")
APPLY = next(line for line in lines_of("apply.yml", "apply") if "keycloak" in line)
(DRIFT,) = lines_of("drift.yml", "drift")


def clear_names(pipeline: Pipeline) -> list[Path]:
    """Return the files below the results that are no encrypted plan and no page."""
    return [
        path for path in pipeline.results.rglob("*") if path.is_file() and path.suffix not in {".age", ".md", ".log"}
    ]


def test_a_plan_without_changes_is_clean(pipeline: Pipeline) -> None:
    pipeline.values()
    done = pipeline.run(PLAN)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (pipeline.results / "dev" / "keycloak" / "review.md").read_text(encoding="utf-8")
    assert "keycloak of dev: 0 changes" in page
    assert "nothing that weakens security" in page


def test_exactly_the_reviewed_plan_is_applied(pipeline: Pipeline) -> None:
    """A harmless change: plan, refuse to whom lacks the identity, apply, and a second apply finds the plan stale."""
    pipeline.values(client_secret_versions={"mcp-reader": "ci"})
    done = pipeline.run(PLAN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert clear_names(pipeline) == [], "only pages and the encrypted plan may be left"
    secrets = [*pipeline.applied.realm.secrets.values()]
    left = b"".join(path.read_bytes() for path in pipeline.results.rglob("*") if path.is_file())
    assert not [secret for secret in secrets if secret.encode() in left or secret in done.stdout + done.stderr]

    refused = pipeline.run(APPLY)
    assert refused.returncode != 0
    assert "SECURE_MCP_CI_IDENTITY is not set" in refused.stderr
    other = pipeline.run(APPLY, opens=True, GITHUB_SHA="0" * 40)
    assert "another commit" in other.stderr

    # Values that changed after the plan are not what is applied.
    pipeline.values(client_secret_versions={"mcp-reader": "later"})
    applied = pipeline.run(APPLY, opens=True)
    assert "After the apply a plan still changes" in applied.stderr, applied.stderr
    versions = [
        resource["values"]["client_secret_wo_version"]
        for resource in pipeline.applied.root.state()["values"]["root_module"]["resources"]
        if resource["address"] == 'keycloak_openid_client.confidential["mcp-reader"]'
    ]
    assert versions == ["ci"]

    again = pipeline.run(APPLY, opens=True)
    assert again.returncode != 0
    assert "stale" in again.stderr
    assert clear_names(pipeline) == []


def test_a_plan_that_weakens_security_fails_its_job(pipeline: Pipeline, tmp_path: Path) -> None:
    contract = (REPOSITORY / "access.yaml").read_text(encoding="utf-8")
    wrong = contract.replace("http://127.0.0.1/callback", "https://elsewhere.example/callback", 1)
    assert wrong != contract
    (tmp_path / "access.yaml").write_text(wrong, encoding="utf-8")
    pipeline.values(contract_path=str(tmp_path / "access.yaml"))
    done = pipeline.run(PLAN)
    assert done.returncode != 0
    page = (pipeline.results / "dev" / "keycloak" / "review.md").read_text(encoding="utf-8")
    assert "elsewhere.example" in page


def test_drift_is_found_and_told(pipeline: Pipeline) -> None:
    """A redirect URI that somebody adds by hand: Terraform would take it back, and the audit names it."""
    pipeline.values()
    pipeline.applied.apply()
    clean = pipeline.run(DRIFT)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert (pipeline.results / "dev" / "drift.md").read_text(encoding="utf-8") == ""
    realm = pipeline.applied.realm
    client = realm.admin.get(f"/{realm.name}/clients", clientId="mcp-cli")[0]
    tampered = client | {"redirectUris": [*client["redirectUris"], "https://elsewhere.example/callback"]}
    realm.admin.put(f"/{realm.name}/clients/{client['id']}", json=tampered)
    try:
        done = pipeline.run(DRIFT)
    finally:
        realm.admin.put(f"/{realm.name}/clients/{client['id']}", json=client)
    assert done.returncode != 0
    page = (pipeline.results / "dev" / "drift.md").read_text(encoding="utf-8")
    assert 'update keycloak_openid_client.public["mcp-cli"]' in page
    assert "https://elsewhere.example/callback" in page.partition("### Audit of the live realm")[2]


def test_a_server_that_is_away_leaves_no_verdict(pipeline: Pipeline) -> None:
    pipeline.values(keycloak_url="http://localhost:1")
    done = pipeline.run(".venv/bin/secure-mcp ci drift -e dev --no-audit")
    assert done.returncode != 0
    assert not (pipeline.results / "dev" / "drift.md").exists()
