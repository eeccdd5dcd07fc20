"""The realm of terraform/keycloak, really applied to the Keycloak of the run."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ops.admin import AdminClient
from ops.keycloak import BOOTSTRAP_CLIENT, KeycloakServer
from tests.support.realm import Realm
from tests.support.secrecy import Secrets
from tests.support.terraform import PLAN, Root

REALM = "mcp-terraform"


@dataclass
class Applied:
    """A root module with the values of one Keycloak."""

    root: Root
    realm: Realm
    bootstrap_secret: str
    variables: list[str]

    def environment(self, *, bootstrap: bool) -> dict[str, str]:
        """Return what Terraform logs in with: the administrator of the server, or the account `terraform`."""
        login = {
            "TF_VAR_admin_realm": "master" if bootstrap else self.realm.name,
            "TF_VAR_admin_client_id": BOOTSTRAP_CLIENT if bootstrap else "terraform",
            "TF_VAR_admin_client_secret": self.bootstrap_secret if bootstrap else self.realm.secrets["terraform"],
        }
        return login | {"TF_VAR_client_secrets": json.dumps(self.realm.secrets)}

    def apply(self, *options: str, bootstrap: bool = False) -> str:
        arguments = ("-no-color", "-input=false", "-auto-approve", *self.variables, *options)
        return self.root.succeed("apply", *arguments, env=self.environment(bootstrap=bootstrap))

    def plan_code(self, *options: str) -> tuple[int, str]:
        """Plan, save the plan, and return exit code (0 nothing to do, 1 error, 2 changes) and output."""
        arguments = ("-no-color", "-input=false", "-detailed-exitcode", f"-out={PLAN}", *self.variables, *options)
        result = self.root.run("plan", *arguments, env=self.environment(bootstrap=False))
        return result.returncode, result.stdout + result.stderr

    def destroy(self) -> str:
        arguments = ("-no-color", "-input=false", "-auto-approve", *self.variables)
        return self.root.succeed("destroy", *arguments, env=self.environment(bootstrap=True))


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """An initialised copy of terraform/keycloak without a state."""
    root = Root(tmp_path_factory.mktemp("terraform"), "keycloak")
    assert root.initialise().returncode == 0
    return root


@pytest.fixture(scope="session")
def applied(
    tmp_path_factory: pytest.TempPathFactory,
    keycloak: KeycloakServer,
    admin: AdminClient,
    admin_secret: str,
    client_secrets: dict[str, str],
    public_url: str,
) -> Iterator[Applied]:
    """The realm applied in two steps: bootstrap as the server's administrator, the rest as the account `terraform`."""
    root = Root(tmp_path_factory.mktemp("applied"), "keycloak")
    assert root.initialise().returncode == 0
    values = {"environment": "dev", "keycloak_url": keycloak.url, "public_url": public_url, "realm_name": REALM}
    variables = [f"-var={name}={value}" for name, value in values.items()]
    realm = Realm(keycloak.url, admin, Secrets(client_secrets), name=REALM)
    applied = Applied(root, realm, admin_secret, variables)
    applied.apply("-target=terraform_data.bootstrap", bootstrap=True)
    applied.apply()
    return applied
