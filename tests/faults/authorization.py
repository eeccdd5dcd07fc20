"""A real Keycloak that drills may kill, over a database of its own or over one that is given."""

import os
import secrets
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from ops.admin import AdminClient
from ops.keycloak import BOOTSTRAP_CLIENT, KeycloakServer, make_instance
from ops.realm import LOCK
from ops.secrets import ACCOUNTS
from service.contract import load_contract
from tests.support.fixtures import realm_values
from tests.support.oauth import CLIENT_CREDENTIALS, request_token
from tests.support.realm import Realm, answered
from tests.support.relay import free_port
from tests.support.until import until

KEYCLOAK_S = 300


class AuthorizationServer:
    """A real Keycloak that drills may kill, and the secrets of its clients."""

    def __init__(
        self, server: KeycloakServer, client_secrets: Mapping[str, str], admin_secret: str, public_url: str
    ) -> None:
        self.server = server
        self.secrets = client_secrets
        self.admin_secret = admin_secret
        self.public_url = public_url
        self.lock: Path | None = LOCK
        """What a start imports where the realm is not there; None as in the stack, which imports nothing."""
        self.issuer = f"{server.url}/realms/mcp-realm"

    def token(self, client_id: str = "mcp-reader") -> str:
        """Return a new access token of a service account."""
        return str(answered(self.ask(client_id))["access_token"])

    def ask(self, client_id: str = "mcp-reader") -> httpx.Response:
        endpoint = f"{self.issuer}/protocol/openid-connect/token"
        secret = self.secrets[client_id]
        return request_token(endpoint, CLIENT_CREDENTIALS, client_id=client_id, client_secret=secret)

    def answers(self) -> bool:
        """Say whether a login works."""
        try:
            return self.ask().is_success
        except httpx.TransportError:
            return False

    @contextmanager
    def realm(self) -> Iterator[Realm]:
        """Open the realm to its administrator."""
        with AdminClient(self.server.url, "master", BOOTSTRAP_CLIENT, self.admin_secret) as admin:
            yield Realm(self.server.url, admin, dict(self.secrets))

    def kill(self) -> None:
        """Send SIGKILL to all of it."""
        pid = self.server.pid
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)
        until(lambda: self.server.pid is None, 30, "Keycloak is dead")
        self.server.stop()  # takes its exit status

    def start(self) -> None:
        self.server.start(self.lock)

    def wait(self) -> None:
        self.server.wait_ready(KEYCLOAK_S)
        until(self.answers, 60, "a login works")

    def become(self, distribution: Path) -> None:
        """Stop it, put another release in its place and start that on the same database; it is not ready then."""
        self.server.stop()
        make_instance(distribution, self.server.home)
        self.start()

    def forget(self) -> None:
        """Delete its database while it is down: the realm is imported anew at the next start, with new keys."""
        shutil.rmtree(self.server.home / "data" / "h2")


@contextmanager
def authorization(
    folder: Path, distribution: Path, variables: Mapping[str, str] | None = None, lock: Path = LOCK
) -> Iterator[AuthorizationServer]:
    """Run a Keycloak of a build for the block, with the realm of a lock file; `variables` add to its environment."""
    make_instance(distribution, folder / "keycloak")
    confidential = [client_id for client_id, client in load_contract().clients.items() if client.kind != "public"]
    client_secrets = {name: secrets.token_urlsafe(32) for name in [*confidential, *ACCOUNTS]}
    public_url = f"https://localhost:{free_port()}"
    values = realm_values(public_url, client_secrets) | dict(variables or {})
    admin_secret = secrets.token_urlsafe(32)
    server = KeycloakServer(folder / "keycloak", free_port(), free_port(), admin_secret, values)
    running = AuthorizationServer(server, client_secrets, admin_secret, public_url)
    running.lock = lock
    running.start()
    try:
        running.wait()
        yield running
    finally:
        server.stop()
