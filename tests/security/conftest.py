"""One authorization server, one canary and one service for the whole tier."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.security.issuer import Canary, FakeIssuer, serving
from tests.security.keyring import jwk, published
from tests.security.system import Service, service
from tests.security.wire import Answer, connection

REALM = "mcp-realm"


@dataclass
class Bench:
    """What is under test, and every token that it was shown."""

    service: Service
    issuer: FakeIssuer
    canary: Canary
    shown: set[str] = field(default_factory=set)

    def exchange(self, data: bytes, token: str = "", method: str = "POST") -> Answer:
        """Send bytes on a connection of their own and return the answer."""
        self.shown.add(token)
        with connection(self.service.origin) as opened:
            opened.send(data)
            return opened.answer(method)


@pytest.fixture(scope="session")
def issuer() -> Iterator[FakeIssuer]:
    with serving(FakeIssuer()) as server:
        server.realms[REALM] = list(published())
        server.realms["shared"] = list(published())  # of services beside the one under test, whose fetches are counted
        server.realms["mcp-realm-other"] = server.realms["master"] = [jwk("other-realm", "other-realm", alg="RS256")]
        yield server


@pytest.fixture(scope="session")
def bench(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    directory: Path = tmp_path_factory.mktemp("security")
    with (
        serving(Canary()) as canary,
        service(issuer.issuer(REALM), directory, canary=canary.host) as running,
    ):
        yield Bench(running, issuer, canary)
