"""Around the service: a name leads elsewhere, Keycloak's certificate changes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.authorization import AuthorizationServer
from tests.faults.conftest import Measure
from tests.faults.ground import ground
from tests.faults.toxic import Toxic
from tests.support.certificates import DAY, Authority
from tests.support.faulty import Exchange, Faulty
from tests.support.relay import free_port
from tests.support.until import until

NAME = "keycloak-drill"

pytestmark = pytest.mark.requirement("FAULT-HOST")


@contextmanager
def names_of_its_own(folder: Path) -> Iterator[tuple[list[str], Path]]:
    """Yield the prefix of a program that has a file of its own in the place of /etc/hosts, and that file."""
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n", encoding="ascii")
    yield ["unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "names"], hosts


def test_a_name_leads_elsewhere(
    authorization_server: AuthorizationServer, redis_port: int, drill: Measure, folder: Path
) -> None:
    if os.geteuid():
        pytest.skip("needs root, to give the service names of its own")
    measure, port = drill("dns-change"), free_port()
    with (
        names_of_its_own(folder) as (prefix, hosts),
        Toxic(authorization_server.server.port, "127.0.0.2", port) as old,
        Toxic(authorization_server.server.port, "127.0.0.3", port) as new,
    ):

        def leads_to(address: str) -> None:
            # In place: another file would not be the one that is mounted.
            hosts.write_text(f"127.0.0.1 localhost\n{address} {NAME}\n" if address else "", encoding="ascii")

        leads_to("127.0.0.2")
        url = f"http://{NAME}:{port}/realms/mcp-realm"
        with ground(authorization_server, redis_port, folder, prefix=prefix, ISSUER_INTERNAL_URL=url) as place:
            with place.load() as load:
                load.more(100)
                assert old.accepted
                assert not new.accepted
                leads_to("127.0.0.3")
                old.be("refuse")
                begin = time.monotonic()
                until(lambda: new.accepted, 60, "keys are fetched at the new address")
                followed_s = time.monotonic() - begin
                leads_to("")
                new.be("refuse")
                failures = place.service.events("jwks_fetch_failed")
                until(lambda: place.service.events("jwks_fetch_failed") >= failures + 2, 60, "the name is gone")
                load.more(200)
            assert place.ready()
    measure.measured(failed=load.failed(), followed_s=followed_s)


def test_keycloaks_certificate(
    authorization_server: AuthorizationServer, redis_port: int, drill: Measure, folder: Path
) -> None:
    """The authority changes while both are trusted; then the certificate has expired, and nothing bypasses that."""
    measure, target = drill("internal-ca"), authorization_server.server.url
    authorities = []
    for name in ("old", "new"):
        (folder / name).mkdir()
        authorities.append(Authority(folder / name, f"{name} authority"))
    both = folder / "both.pem"
    both.write_bytes(b"".join(authority.file.read_bytes() for authority in authorities))
    context = authorities[0].server()
    fetched: list[str] = []

    def once(exchange: Exchange) -> None:
        fetched.append(exchange.path)
        exchange.put("Connection", "close")

    with Faulty(target, once, names={target: target}, tls=context) as proxy:
        url = f"{proxy.origin}/realms/mcp-realm"
        variables = {"SSL_CERT_FILE": str(both)}
        settings = {"ISSUER_INTERNAL_URL": url}
        with ground(authorization_server, redis_port, folder, variables=variables, **settings) as place:
            with place.load() as load:
                load.more(100)
                context.load_cert_chain(authorities[1].chain())
                fetched.clear()
                until(lambda: len(fetched) >= 8, 60, "keys are fetched under the new authority")
                failures = place.service.events("jwks_fetch_failed")
                context.load_cert_chain(authorities[1].chain(begin=-3 * DAY, end=-DAY))
                until(lambda: place.service.events("jwks_fetch_failed") >= 2, 60, "an expired certificate is refused")
                load.more(200)
            assert place.ready()
    measure.measured(failed=load.failed(), failed_fetches=failures)
