"""secure-mcp ci: sealed plans, the comment and the issue, and what the workflows may do."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyrage
import pytest
import yaml
from typer.testing import CliRunner

from ops.ci import sealed
from ops.ci.commands import MARKER
from ops.ci.forge import find_forge
from ops.ci.report import changes_of, joined, plan_page
from ops.ci.sealed import IDENTITY, RECIPIENT, seal, unseal
from ops.ci.work import work_for
from ops.cli import app
from ops.errors import OperatorError

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

pytestmark = pytest.mark.requirement("CI-PLAN")


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> str:
    """A pair in the variables of a job, and a commit."""
    identity = pyrage.x25519.Identity.generate()
    monkeypatch.setenv(RECIPIENT, str(identity.to_public()))
    monkeypatch.setenv(IDENTITY, str(identity))
    monkeypatch.setenv("GITHUB_SHA", "a" * 40)
    return str(identity)


@pytest.fixture
def artefact(pair: str, tmp_path: Path) -> Path:
    plan = tmp_path / "in.tfplan"
    plan.write_bytes(b"PLAN with everything in it")
    seal(plan, tmp_path / "plan.tar.age", "prod", "keycloak")
    return tmp_path / "plan.tar.age"


def refusal(artefact: Path, environment: str = "prod", root: str = "keycloak") -> str:
    target = artefact.with_name("out.tfplan")
    with pytest.raises(OperatorError) as error:
        unseal(artefact, target, environment, root)
    assert not target.exists()
    return str(error.value)


def test_a_sealed_plan_comes_out_as_it_went_in(artefact: Path, tmp_path: Path) -> None:
    assert b"PLAN" not in artefact.read_bytes()
    unseal(artefact, tmp_path / "out.tfplan", "prod", "keycloak")
    assert (tmp_path / "out.tfplan").read_bytes() == b"PLAN with everything in it"
    assert (tmp_path / "out.tfplan").stat().st_mode & 0o777 == 0o600


def test_a_plan_of_something_else_is_not_applied(artefact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "another environment" in refusal(artefact, environment="staging")
    assert "another root" in refusal(artefact, root="docker")
    monkeypatch.setenv("GITHUB_SHA", "b" * 40)
    assert "another commit" in refusal(artefact)


def test_an_old_plan_is_not_applied(artefact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "MAX_AGE", -sealed.MAX_AGE)
    assert "hours old" in refusal(artefact)


def test_a_changed_artefact_is_not_applied(artefact: Path) -> None:
    content = bytearray(artefact.read_bytes())
    content[-1] ^= 1
    artefact.write_bytes(content)
    assert "cannot be opened" in refusal(artefact)


@pytest.mark.parametrize("identity", ["", "AGE-SECRET-KEY-1WRONG", "other"])
def test_only_the_right_identity_opens_it(
    artefact: Path, monkeypatch: pytest.MonkeyPatch, pair: str, identity: str
) -> None:
    identity = str(pyrage.x25519.Identity.generate()) if identity == "other" else identity
    monkeypatch.setenv(IDENTITY, identity)
    said = refusal(artefact)
    assert pair not in said
    assert not identity or identity not in said


@pytest.mark.parametrize("recipient", ["", "age1wrong"])
def test_without_a_recipient_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipient: str
) -> None:
    monkeypatch.setenv(RECIPIENT, recipient)
    (tmp_path / "in.tfplan").write_bytes(b"PLAN")
    with pytest.raises(OperatorError, match="names nobody"):
        seal(tmp_path / "in.tfplan", tmp_path / "plan.tar.age", "prod", "keycloak")
    assert not (tmp_path / "plan.tar.age").exists()


def test_keys_never_replaces_an_identity_and_never_prints_it(tmp_path: Path) -> None:
    file = tmp_path / "x.agekey"
    result = CliRunner().invoke(app, ["ci", "keys", str(file)])
    assert result.exit_code == 0
    assert result.stdout.startswith("age1")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().strip() not in result.output
    assert isinstance(CliRunner().invoke(app, ["ci", "keys", str(file)]).exception, OperatorError)


@pytest.mark.parametrize(("environment", "root"), [("nowhere", "keycloak"), ("dev", "vm"), ("../..", "keycloak")])
def test_what_is_no_environment_or_root_is_refused(environment: str, root: str) -> None:
    with pytest.raises(OperatorError):
        work_for(environment, root)


class Project:
    """A double of the two interfaces that a pipeline speaks to; there is no forge to test against."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self, {})

            def do_POST(self) -> None:
                outer.answer(self, json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def do_PATCH(self) -> None:
                self.do_POST()

            def do_PUT(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler, content: dict[str, str]) -> None:
        self.asked.append((handler.command, handler.path, dict(handler.headers)))
        path = handler.path.partition("?")[0]
        if handler.command == "GET":
            page = int(handler.path.rpartition("page=")[2])
            body: Any = [row for row in self.rows if row["list"] == path][(page - 1) * 100 : page * 100]
        elif handler.command == "POST":
            number = len(self.rows) + 1
            body = {"id": number, "number": number, "iid": number, "list": path} | content
            self.rows.append(body)
        else:
            body = next(row for row in self.rows if path.endswith(f"/{row['id']}"))
            body.update(content)
        encoded = json.dumps(body).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(encoded)))
        handler.end_headers()
        handler.wfile.write(encoded)


@pytest.fixture(params=["github", "gitlab"])
def project(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    project = Project()
    for name in ("GITHUB_REPOSITORY", "CI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECURE_MCP_CI_TOKEN", "forge-token")
    if request.param == "github":
        monkeypatch.setenv("GITHUB_REPOSITORY", "owner/name")
        monkeypatch.setenv("GITHUB_API_URL", project.url)
    else:
        monkeypatch.setenv("CI_PROJECT_ID", "group/name")
        monkeypatch.setenv("CI_API_V4_URL", project.url)
    yield project
    project.server.shutdown()
    project.server.server_close()


def test_there_is_one_comment_however_often_it_is_written(project: Project) -> None:
    other = {"id": 900, "body": "looks good", "list": "", "user": {"type": "User"}}
    forge = find_forge()
    list_path = (
        "/repos/owner/name/issues/7/comments"
        if forge.method == "PATCH"
        else "/projects/group%2Fname/merge_requests/7/notes"
    )
    # More than one page of what other people wrote, one of them with our mark.
    project.rows += [other | {"id": 900 + n, "list": list_path} for n in range(120)]
    project.rows[3]["body"] = f"<!-- {MARKER} -->\nmine"
    assert forge.comment("7", MARKER, "first") == "written"
    assert forge.comment("7", MARKER, "second") == "updated"
    assert [row["body"] for row in project.rows[120:]] == [f"<!-- {MARKER} -->\nsecond"]
    assert project.rows[3]["body"].endswith("mine")
    assert all("forge-token" not in path for _, path, _ in project.asked)


def test_there_is_one_issue_that_opens_and_closes(project: Project) -> None:
    forge = find_forge()
    assert forge.issue("Drift in prod", None) == "none"
    assert forge.issue("Drift in prod", "one") == "opened"
    assert forge.issue("Drift in prod", "two") == "updated"
    assert forge.issue("Drift in prod", None) == "closed"
    assert len(project.rows) == 1
    assert project.rows[0][forge.text] == "two"
    assert {"state": "closed", "state_event": "close"}.items() & project.rows[0].items()


def test_what_was_not_judged_closes_no_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_MCP_CI_RESULTS", str(tmp_path))
    result = CliRunner().invoke(app, ["ci", "issue", "-e", "prod"])
    assert "not known" in str(result.exception)


def test_a_page_fits_into_a_comment_and_shows_no_values() -> None:
    secret = {"change": {"actions": ["update"], "after": {"x": "VALUE"}}, "address": "a.b"}
    quiet = {"change": {"actions": ["no-op"]}, "address": "c.d"}
    assert changes_of({"resource_changes": [secret, quiet]}) == ["update a.b"]
    assert len(joined("title", [plan_page("prod", "keycloak", ["x" * 200] * 1000, "fine")])) < 65_536


# What the workflows may do


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]


def lines(workflow: Path) -> list[str]:
    """Return the lines that a workflow's steps run."""
    scripts = [step.get("run", "") for job in jobs(workflow).values() for step in job["steps"]]
    return [line.strip() for script in scripts for line in script.splitlines()]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_the_least_rights(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert "pull_request_target" not in text
    for name, job in jobs(workflow).items():
        written = [right for right, level in job.get("permissions", {}).items() if level == "write"]
        uses_secrets = "secrets." in yaml.safe_dump(job)
        assert not (written and uses_secrets), f"{name} has both secrets and the right to write"
        assert not uses_secrets or job.get("environment"), f"{name} has secrets outside of an environment"
        for step in job["steps"]:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step.get("uses", f"x@{'0' * 40}")), step["uses"]
            assert "${{" not in step.get("run", ""), "an expression in a script can be made to run code"
    for line in re.findall(r"uses: .*", text):
        assert re.search(r"  # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_runs_is_there(workflow: Path) -> None:
    targets = re.findall(r"make ([a-z-]+)", "\n".join(lines(workflow)))
    assert [target for target in targets if f"\n{target}:" not in MAKEFILE] == []


def test_gitlab_runs_the_same_targets() -> None:
    pipeline = yaml.safe_load((REPOSITORY / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    here = {line for job in pipeline.values() if isinstance(job, dict) for line in job.get("script", [])}
    there = {line for workflow in WORKFLOWS for line in lines(workflow)}
    assert {line for line in here if line.startswith("make ")} == {line for line in there if line.startswith("make ")}
    assert ".ci/run" in here
