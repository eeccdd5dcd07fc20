"""A realm with registration open: the lock file, changed to what terraform/keycloak declares for such a contract.

terraform/keycloak/tests/environments.tftest.hcl says the same of the declared realm; keep the two together.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from tests.support import client
from tests.support.realm import Realm

POLICIES = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"
LOOPBACK = ["http://127.0.0.1/callback"]
HOSTS = ("127.0.0.1", "localhost", "app.example.com")


def opened(realm: dict[str, Any], hosts: Sequence[str] = HOSTS) -> dict[str, Any]:
    """Return a realm representation as the contract declares it with `anonymous: trusted_hosts`.

    Args:
        realm: the closed one.
        hosts: `trusted_hosts`.
    """
    realm = copy.deepcopy(realm)
    for component in realm["components"][POLICIES]:
        if component["providerId"] == "trusted-hosts":
            component["config"]["trusted-hosts"] = list(hosts)
    realm["defaultOptionalClientScopes"] = sorted([*realm["defaultOptionalClientScopes"], "offline_access"])
    for policy in realm["clientPolicies"]["policies"]:
        for condition in policy["conditions"]:
            scopes = condition["configuration"].get("scopes", [])
            if "offline_access" in scopes:
                scopes.remove("offline_access")
    fetchable = "|".join(re.escape(host) for host in hosts if not re.fullmatch(r"localhost|[0-9.]+", host))
    for profile in realm["clientProfiles"]["profiles"]:
        if profile["name"] == "secure-mcp-registration":
            for executor in profile["executors"]:
                patterns = executor["configuration"]["allowed-patterns"]
                patterns[:] = [pattern.replace(r"closed\.invalid", fetchable) for pattern in patterns]
            profile["executors"] += [
                {"configuration": {"auto-configure": "false"}, "executor": name}
                for name in ("reject-implicit-grant", "reject-ropc-grant")
            ]
    return realm


class Registrar:
    """Registers clients in a realm as a stranger does, and takes them away again.

    Args:
        realm: the realm.
    """

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.endpoint = f"{realm.issuer}/clients-registrations/openid-connect"

    def ask(self, *, headers: dict[str, str] | None = None, **metadata: Any) -> httpx.Response:
        """Ask for a registration (RFC 7591 section 3.1); a desktop client where nothing else is said."""
        usual = {"client_name": "stranger", "redirect_uris": LOOPBACK, "token_endpoint_auth_method": "none"}
        body = {name: value for name, value in (usual | metadata).items() if value is not None}
        return client.post(self.endpoint, json=body, headers=headers or {})

    def register(self, **metadata: Any) -> dict[str, Any]:
        """Register a client that must be accepted."""
        answer = self.ask(**metadata)
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
        return answer.json()

    def update(self, registered: dict[str, Any], **metadata: Any) -> httpx.Response:
        """Change a registered client (RFC 7592 section 2.2); the token of the next change replaces this one's."""
        body = {name: value for name, value in registered.items() if not name.startswith("registration_")}
        headers = {"Authorization": f"Bearer {registered['registration_access_token']}"}
        answer = client.request("PUT", registered["registration_client_uri"], json=body | metadata, headers=headers)
        if answer.is_success:
            registered["registration_access_token"] = answer.json()["registration_access_token"]
        return answer

    def kept(self, registered: dict[str, Any]) -> dict[str, Any]:
        """Return what Keycloak keeps of a registered client."""
        found = self.realm.admin.get(f"/{self.realm.name}/clients", clientId=registered["client_id"])
        return found[0] if found else {}

    def forget(self) -> None:
        """Delete every client that was registered."""
        for found in self.realm.admin.get(f"/{self.realm.name}/clients"):
            if len(found["clientId"]) == 36 or found["clientId"].startswith("stranger"):
                self.realm.admin.delete(f"/{self.realm.name}/clients/{found['id']}")


@contextmanager
def changed_policy(realm: Realm, provider: str, **config: Sequence[str]) -> Iterator[None]:
    """Change a registration policy for anonymous callers; `config` names use underscores."""
    found = realm.admin.get(f"/{realm.name}/components", type=POLICIES)
    before = next(item for item in found if item["providerId"] == provider and item["subType"] == "anonymous")
    path = f"/{realm.name}/components/{before['id']}"
    changes = {name.replace("_", "-"): list(values) for name, values in config.items()}
    realm.admin.put(path, json=before | {"config": before["config"] | changes})
    try:
        yield
    finally:
        realm.admin.put(path, json=before)
