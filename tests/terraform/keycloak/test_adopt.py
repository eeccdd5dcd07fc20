"""`secure-mcp adopt` on realms that nobody declared: taken over, nothing destroyed, no secret in a state."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.admin import AdminClient
from ops.adopt.plan import changes, lay_out
from ops.cli import app
from ops.keycloak import BOOTSTRAP_CLIENT, KeycloakServer
from tests.support.oauth import CLIENT_CREDENTIALS, request_token
from tests.support.old_realms import hand_made, tutorial
from tests.support.secrecy import Secrets
from tests.support.terraform import PLAN, Root

REALMS: dict[str, Callable[[AdminClient, str], dict[str, str]]] = {"hand-made": hand_made, "tutorial": tutorial}


@dataclass
class Adopted:
    """A realm after `secure-mcp adopt`: what the command said, its files, and a root to plan in."""

    realm: str
    admin: AdminClient
    said: dict[str, Any]
    folder: Path
    root: Root
    live: Secrets
    variables: dict[str, str]
    before: dict[str, str]

    def plan(self) -> tuple[int, str]:
        arguments = ("-no-color", "-input=false", "-detailed-exitcode", f"-out={PLAN}")
        result = self.root.run("plan", *arguments, f"-var-file={self.folder / 'keycloak.tfvars'}", env=self.variables)
        return result.returncode, result.stdout + result.stderr

    def apply(self) -> str:
        arguments = ("-no-color", "-input=false", "-auto-approve", f"-var-file={self.folder / 'keycloak.tfvars'}")
        return self.root.succeed("apply", *arguments, env=self.variables)


def client_ids(admin: AdminClient, realm: str) -> dict[str, str]:
    return {client["clientId"]: client["id"] for client in admin.get(f"/{realm}/clients")}


@pytest.fixture(scope="module", params=list(REALMS))
def adopted(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    admin: AdminClient,
    keycloak: KeycloakServer,
    admin_secret: str,
) -> Iterator[Adopted]:
    realm = str(request.param)
    live = Secrets(REALMS[realm](admin, realm))
    before = client_ids(admin, realm)
    top = tmp_path_factory.mktemp(realm)
    file = top / "admin.secret"
    file.write_text(admin_secret)
    file.chmod(0o400)
    options = ["--keycloak-url", keycloak.url, "--public-url", "http://localhost:8000", "--json"]
    options += ["--secret-file", str(file), "--output", str(top / "adopted")]
    result = CliRunner().invoke(app, ["adopt", realm, *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    secrets = {path.name: path.read_text() for path in (top / "adopted" / "secrets").iterdir()}
    variables = {
        "TF_VAR_admin_realm": "master",
        "TF_VAR_admin_client_id": BOOTSTRAP_CLIENT,
        "TF_VAR_admin_client_secret": admin_secret,
        "TF_VAR_client_secrets": json.dumps(secrets),
    }
    (top / "work").mkdir()
    root = Root.__new__(Root)
    root.path = lay_out(top / "adopted", top / "work")
    root.succeed("init", "-no-color", "-input=false")
    yield Adopted(realm, admin, json.loads(result.stdout), top / "adopted", root, live, variables, before)
    admin.delete(f"/{realm}")


@pytest.mark.requirement("ADOPT-PLAN")
def test_the_first_plan_destroys_nothing_and_does_what_was_listed(adopted: Adopted) -> None:
    code, output = adopted.plan()
    assert code == 2, output
    assert "0 to destroy" in output
    listed = {(change["address"], change["action"], *change["attributes"]) for change in adopted.said["plan"]}
    assert {(change.address, change.action, *change.attributes) for change in changes(adopted.root.planned())} == listed
    assert "realm" not in {name for change in adopted.said["plan"] for name in change["attributes"]}


@pytest.mark.requirement("ADOPT-PLAN")
def test_after_two_applies_there_is_nothing_left_to_do_and_everything_is_where_it_was(adopted: Adopted) -> None:
    assert "0 destroyed" in adopted.apply()
    adopted.apply()
    (adopted.root.path / "imports.tf").unlink()
    code, output = adopted.plan()
    assert code == 0, output
    after = client_ids(adopted.admin, adopted.realm)
    assert {name: after.get(name) for name in adopted.before} == adopted.before
    assert len(adopted.admin.get(f"/{adopted.realm}/users")) == 1


@pytest.mark.requirement("ADOPT-SECRECY")
def test_clients_keep_their_secrets_and_no_state_has_them(adopted: Adopted, keycloak: KeycloakServer) -> None:
    state = (adopted.root.path / "terraform.tfstate").read_text(encoding="utf-8")
    secrets = {path.name: path for path in (adopted.folder / "secrets").iterdir()}
    assert [name for name, path in secrets.items() if path.read_text() in state] == []
    assert [name for name, secret in adopted.live.items() if len(secret) > 8 and secret in state] == []
    assert {oct(path.stat().st_mode & 0o777) for path in secrets.values()} == {"0o400"}
    if "nightly-job" in adopted.live:
        endpoint = f"{keycloak.url}/realms/{adopted.realm}/protocol/openid-connect/token"
        secret = adopted.live["nightly-job"]
        answer = request_token(endpoint, CLIENT_CREDENTIALS, client_id="nightly-job", client_secret=secret)
        assert answer.status_code == 200, answer.text
        assert secrets["nightly-job"].read_text() == secret


@pytest.mark.requirement("ADOPT-OUTSIDE")
def test_what_the_contract_cannot_say_is_named_and_stays(adopted: Adopted) -> None:
    told = "\n".join(adopted.said["outside"])
    if adopted.realm == "hand-made":
        for name in ("kiosk", "portal"):
            assert f"Client {name}:" in told
            live = adopted.admin.get(f"/{adopted.realm}/clients", clientId=name)[0]
            assert live["id"] == adopted.before[name]
            assert live["redirectUris"]
        assert adopted.said["new_secrets"] == ["old-job"]
        assert adopted.said["clients"] == ["desk", "files-api", "nightly-job", "old-job"]
    else:
        assert "Mapper audience of the scope mcp:run" in told
        assert adopted.said["scopes"] == ["mcp:run"]
    assert "Signing keys and registration policies" in told
