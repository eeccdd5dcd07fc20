"""`secure-mcp review` over plans of our own realm: silent about the declared one, and aware of each bad edit."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.admin import AdminClient
from ops.keycloak import KeycloakServer
from ops.review.judge import judge
from ops.review.plan import read_plan
from tests.review.mutations import load, missed
from tests.review.planning import keycloak_plans_on, shape_plans
from tests.review.record import differences
from tests.support.realm import Realm
from tests.support.secrecy import Secrets
from tests.support.terraform import PLAN, REPOSITORY, Root
from tests.terraform.keycloak.conftest import Applied
from tests.terraform.keycloak.test_code import secrets_of

MUTATIONS = load("keycloak")
# One of each kind; all with SECURE_MCP_LONG=1 (make test-long).
QUICK = {
    "pkce-off-public", "redirect-to-a-stranger", "writing-for-the-reader", "audience-off-the-defaults", "realm-admin",
    "token-for-a-day", "key-gone", "strangers-register", "attribute-left-out", "another-realm", "secret-in-plan",
    "check-fails",
}  # fmt: skip


@pytest.fixture(scope="module")
def reviewed(
    tmp_path_factory: pytest.TempPathFactory,
    keycloak: KeycloakServer,
    admin: AdminClient,
    admin_secret: str,
    client_secrets: dict[str, str],
    public_url: str,
) -> Iterator[Applied]:
    """The realm applied once more under another name; the edits are planned over its state and never applied."""
    root = Root(tmp_path_factory.mktemp("reviewed"), "keycloak")
    assert root.initialise().returncode == 0
    values = root.path.parent / "environments" / "dev" / "keycloak.tfvars"
    text = values.read_text(encoding="utf-8")
    for old, new in (("http://localhost:8080", keycloak.url), ("http://localhost:8000", public_url)):
        assert old in text
        text = text.replace(old, new)
    values.write_text(text, encoding="utf-8")
    # A file of values that is named on the command line wins over this one, so that an edit can name another realm.
    (root.path / "review.auto.tfvars").write_text('realm_name = "mcp-review"\n', encoding="utf-8")
    realm = Realm(keycloak.url, admin, Secrets(client_secrets), name="mcp-review")
    applied = Applied(root, realm, admin_secret, ["-var-file=../environments/dev/keycloak.tfvars"])
    applied.apply("-target=terraform_data.bootstrap", bootstrap=True)
    applied.apply()
    yield applied
    applied.destroy()


@pytest.mark.requirement("REVIEW-CLEAN")
@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_first_plan_of_an_environment_weakens_nothing(root: Root, environment: str) -> None:
    values = REPOSITORY / "terraform" / "environments" / environment / "keycloak.tfvars"
    env = secrets_of(["mcp-automation", "mcp-reader", "mcp-server", "terraform", "auditor"])
    options = [f"-var-file={values}", "-var=adopt_registration_policies=false"]
    root.succeed("plan", "-no-color", "-input=false", "-refresh=false", f"-out={PLAN}", *options, env=env)
    findings = judge(read_plan(root.succeed("show", "-json", PLAN).encode(), environment))
    assert findings == []


@pytest.mark.requirement("REVIEW-CLEAN")
def test_a_plan_that_changes_nothing_weakens_nothing(reviewed: Applied) -> None:
    code, output = reviewed.plan_code()
    assert code == 0, output
    plan = read_plan(reviewed.root.succeed("show", "-json", PLAN).encode(), "applied")
    assert judge(plan) == []
    assert judge(plan, everything=True) == []


@pytest.mark.requirement("REVIEW-RULES")
def test_the_provider_plans_the_cases_as_recorded(
    keycloak: KeycloakServer, admin: AdminClient, admin_secret: str, tmp_path: Path
) -> None:
    plans = keycloak_plans_on(tmp_path, keycloak.url, admin_secret, admin)
    assert [line for name, plan in plans.items() for line in differences(name, plan)] == []


@pytest.mark.requirement("REVIEW-RULES")
def test_the_provider_plans_the_shapes_as_recorded(tmp_path: Path) -> None:
    plans = shape_plans(tmp_path)
    assert len(plans) >= 5
    assert [line for name, plan in plans.items() for line in differences(name, plan)] == []


@pytest.mark.requirement("REVIEW-MUTATIONS")
def test_bad_edits_are_named(reviewed: Applied, tmp_path: Path) -> None:
    chosen = MUTATIONS if os.environ.get("SECURE_MCP_LONG") else [edit for edit in MUTATIONS if edit.id in QUICK]
    assert len(chosen) >= len(QUICK)
    assert missed(reviewed.root, chosen, tmp_path, reviewed.variables, reviewed.environment(bootstrap=False)) == {}
