"""A real Keycloak with one realm, seen from the tests: addresses, secrets, tokens, people."""

import itertools
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ops.admin import AdminClient
from tests.support import client
from tests.support.login import CodeFlow, Person
from tests.support.oauth import CLIENT_CREDENTIALS, REFRESH_TOKEN, request_token

_NUMBERS = itertools.count(1)


@dataclass
class Realm:
    """A realm of a running Keycloak."""

    keycloak_url: str
    admin: AdminClient
    secrets: dict[str, str]
    name: str = "mcp-realm"
    people: list[Person] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"{self.keycloak_url}/realms/{self.name}"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/token"

    def token_for(self, client_id: str, scope: str | None = None) -> str:
        """Return an access token of a service account (RFC 6749 section 4.4)."""
        return answered(self.ask_token(client_id, scope))["access_token"]

    def ask_token(self, client_id: str, scope: str | None = None) -> httpx.Response:
        """Ask for an access token of a service account and return what the authorization server says."""
        secret = self.secrets[client_id]
        return request_token(
            self.token_endpoint, CLIENT_CREDENTIALS, client_id=client_id, client_secret=secret, scope=scope
        )

    def flow(self, **fields: str | None) -> CodeFlow:
        """Begin an authorization code flow in this realm; `fields` as in CodeFlow."""
        return CodeFlow(self.issuer, **fields)

    def add_person(self) -> Person:
        """Create somebody who can log in."""
        person = Person(f"person-{next(_NUMBERS)}-{secrets.token_hex(3)}", secrets.token_urlsafe(18))
        self.admin.post(f"/{self.name}/users", json=_representation(person))
        self.people.append(person)
        return person

    def user(self, person: Person) -> dict[str, Any]:
        """Return what the realm knows about somebody."""
        return self.admin.get(f"/{self.name}/users", username=person.username, exact=True)[0]

    def refresh(self, refresh_token: str, client_id: str = "mcp-cli", **other: str) -> httpx.Response:
        """Refresh as a public client (RFC 6749 section 6)."""
        return request_token(
            self.token_endpoint, REFRESH_TOKEN, client_id=client_id, refresh_token=refresh_token, **other
        )

    def introspect(self, token: str) -> dict[str, Any]:
        """Ask about a token as the service itself does (RFC 7662 section 2)."""
        form = {"token": token, "client_id": "mcp-server", "client_secret": self.secrets["mcp-server"]}
        return answered(client.post(f"{self.token_endpoint}/introspect", data=form))


@dataclass
class Stack(Realm):
    """A realm and the service that runs against it."""

    public_url: str = ""
    service_log: Path = Path()
    keycloak_log: Path = Path()

    @property
    def mcp_url(self) -> str:
        return f"{self.public_url}/mcp"

    @property
    def metadata_url(self) -> str:
        return f"{self.public_url}/.well-known/oauth-protected-resource/mcp"


def answered(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON of an answer that must be a success."""
    assert response.is_success, f"{response.request.url}: {response.status_code} {response.text}"
    return response.json()


def _representation(person: Person) -> dict[str, Any]:
    return {
        "username": person.username,
        "enabled": True,
        "email": f"{person.username}@example.org",
        "emailVerified": True,
        "firstName": "Test",
        "lastName": "Person",
        "requiredActions": [],
        "credentials": [{"type": "password", "value": person.password, "temporary": False}],
    }
