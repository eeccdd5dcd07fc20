"""An edge with the service behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.security.issuer import FakeIssuer
from tests.security.steps import make
from tests.security.system import Service, service
from tests.support.edge import edge
from tests.support.relay import free_port
from tests.support.target import Target


@dataclass(frozen=True)
class Front:
    """An edge, the service behind it, and a token that is good there."""

    target: Target
    service: Service
    token: str

    @property
    def reached(self) -> int:
        """How many hidden requests the service saw."""
        return self.service.log.read_text(encoding="utf-8").count("/smuggled")


@contextmanager
def front(issuer: FakeIssuer, folder: Path, **values: str) -> Iterator[Front]:
    """Run both for the block.

    Args:
        issuer: gives the service its keys.
        folder: an empty folder.
        values: in place of the usual values of the templates' holes.
    """
    port = free_port()
    audience = f"https://localhost:{port}/mcp"
    with (
        service(issuer.issuer("shared"), folder, AUDIENCE=audience) as running,
        edge(folder / "edge", port, int(running.origin.rpartition(":")[2]), **values) as nginx,
    ):
        target = Target("127.0.0.1", port, f"localhost:{port}", nginx.folder / "tls.crt")
        yield Front(target, running, make("RS256", [{"claims": {"aud": audience}}], running.world))
