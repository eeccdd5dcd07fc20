"""Rotation of the realm's signing key: published first, then promoted, as terraform/keycloak/README.md says."""

from typing import Any

from tests.support import client
from tests.support.oauth import header_of
from tests.support.realm import Realm, answered
from tests.support.until import until

PROVIDER = "org.keycloak.keys.KeyProvider"
DECLARED_PRIORITY = 200
PUBLISHED_S = 10


class SigningKeys:
    """Key providers that a test adds beside the declared ones, and takes away at its end."""

    def __init__(self, stack: Realm) -> None:
        self._admin = stack.admin
        self._stack = stack
        self._path = f"/{stack.name}/components"
        self._priority = DECLARED_PRIORITY
        self.made: list[str] = []

    def publish(self, algorithm: str = "RS256") -> str:
        """Add a key that does not sign yet and return its provider's id; it is in the JWKS when this returns."""
        before = self.published()
        return self._add(algorithm, DECLARED_PRIORITY - 50, before)

    def rotate_at_once(self) -> str:
        """Add a key that signs from its first moment on, unannounced, and return its provider's id."""
        self._priority += 1
        return self._add("RS256", self._priority, self.published())

    def _add(self, algorithm: str, priority: int, before: set[str]) -> str:
        realm = self._admin.get(f"/{self._stack.name}")
        name = f"rotation-{len(self.made)}"
        config = {"priority": [str(priority)], "enabled": ["true"], "active": ["true"], "keySize": ["2048"]}
        body = {"name": name, "providerId": "rsa-generated", "providerType": PROVIDER, "parentId": realm["id"]}
        answer = self._admin.post(self._path, json=body | {"config": config | {"algorithm": [algorithm]}})
        provider = answer.headers["location"].rpartition("/")[2]
        self.made.append(provider)
        until(lambda: self.published() - before, PUBLISHED_S, "the new key in the JWKS")
        return provider

    def promote(self, provider: str) -> None:
        """Let a published key sign from now on."""
        self._priority += 1
        self._change(provider, priority=str(self._priority))

    def disable(self, provider: str) -> None:
        """Take a key out of the JWKS: nothing that it signed is good any more."""
        self._change(provider, enabled="false")

    def published(self) -> set[str]:
        """Return the key ids of the JWKS."""
        answer = client.get(f"{self._stack.issuer}/protocol/openid-connect/certs")
        return {key["kid"] for key in answered(answer)["keys"]}

    def remove_all(self) -> None:
        """Leave the realm as it was."""
        for provider in self.made:
            self._admin.delete(f"{self._path}/{provider}")

    def _change(self, provider: str, **config: str) -> None:
        component: dict[str, Any] = self._admin.get(f"{self._path}/{provider}")
        component["config"] |= {name: [value] for name, value in config.items()}
        self._admin.put(f"{self._path}/{provider}", json=component)


class Tokens:
    """The newest token, and every one before it: all are good until they expire."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self.all = [realm.token_for("mcp-reader")]

    def renew(self) -> str:
        self.all.append(self._realm.token_for("mcp-reader"))
        return self.all[-1]

    def next(self) -> str:
        token = self.all.pop(0)
        self.all.append(token)
        return token


def signer(token: str) -> str:
    """Return the key id that signed a token."""
    return header_of(token)["kid"]
