"""What can go wrong with a certificate: the one in service stays, the message says what to do, somebody is told."""

import datetime as dt
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.host.acme import Acme
from tests.host.certificates import make, served
from tests.host.conftest import Converged
from tests.host.machine import AUTH, MCP, Machine
from tests.support.until import until

DAY = dt.timedelta(days=1)
OVERRIDE = "/run/systemd/system/secure-mcp-certificate.service.d"
METRICS = "/var/lib/prometheus/node-exporter/secure_mcp_certificate.prom"


@pytest.fixture
def authority(converged: Converged) -> Iterator[Acme]:
    """The authority, brought back as it was; meanwhile the unit of the timer always asks for a new certificate."""
    machine, acme = converged.machine, converged.acme
    machine.write(
        f"{OVERRIDE}/force.conf",
        "[Service]\nExecStart=\nExecStart=/usr/local/sbin/secure-mcp-certificate renew --force\n",
    )
    machine.shell("systemctl daemon-reload")
    yield acme
    machine.shell(f"rm -r {OVERRIDE}; systemctl daemon-reload")
    if acme.process.poll() is not None:
        acme.start()
        # Pebble forgets accounts when it ends, which no real authority does.
        machine.shell("rm -rf /etc/letsencrypt/accounts")
    acme.resolve(MCP, machine.address)
    machine.shell("systemctl start secure-mcp-certificate && secure-mcp-certificate-check")


@contextmanager
def rate_limited(acme: Acme) -> Iterator[None]:
    """Stand in the authority's place and refuse everything, as Let's Encrypt does after too many requests."""

    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            problem = {
                "type": "urn:ietf:params:acme:error:rateLimited",
                "detail": "too many certificates already issued",
            }
            body = json.dumps(problem).encode()
            self.send_response(429)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    acme.stop()
    server = http.server.ThreadingHTTPServer((acme.gateway, acme.ports["directory"]), Refuse)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(acme.server_authority.with_name("acme.crt"), acme.server_authority.with_name("acme.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def renewal_fails_and_service_goes_on(machine: Machine, words: str) -> None:
    """Let the timer's unit run, which must fail with these words, raise the alarm, and leave what is served."""
    before, since = served(machine), machine.shell("date +%s").strip()
    assert machine.run("systemctl", "start", "secure-mcp-certificate").returncode != 0
    said = machine.shell(f"journalctl --since=@{since} --output=cat --no-pager")
    assert words in said
    assert f"gave no certificate for {MCP} {AUTH}; its reason stands above. The one in service stays." in said
    alarm = f"journalctl --since=@{since} --priority=crit --output=cat --no-pager"
    until(lambda: "secure-mcp-certificate.service failed on" in machine.shell(alarm), 20, "the alarm is in the journal")
    check = machine.run("secure-mcp-certificate-check")
    assert (check.returncode, "the last renewal failed" in check.stderr) == (1, True)
    assert f'secure_mcp_certificate_renewal_failed{{name="{MCP}"}} 1' in machine.shell(f"cat {METRICS}")
    assert served(machine) == before
    assert machine.shell("systemctl is-active nginx").strip() == "active"


@pytest.mark.requirement("HOST-FAULTS")
def test_the_authority_is_down(converged: Converged, authority: Acme) -> None:
    authority.stop()
    renewal_fails_and_service_goes_on(converged.machine, "Connection refused")


@pytest.mark.requirement("HOST-FAULTS")
def test_a_name_leads_elsewhere(converged: Converged, authority: Acme) -> None:
    authority.resolve(MCP, authority.gateway)
    renewal_fails_and_service_goes_on(converged.machine, f"Domain: {MCP}")


@pytest.mark.requirement("HOST-FAULTS")
def test_the_authority_limits_us(converged: Converged, authority: Acme) -> None:
    with rate_limited(authority):
        renewal_fails_and_service_goes_on(converged.machine, "too many certificates already issued")


@pytest.mark.requirement("HOST-FAULTS")
@pytest.mark.parametrize(
    ("end", "names", "own_key", "words"),
    [
        (DAY, (MCP, AUTH), False, "does not belong to the certificate"),
        (-DAY, (MCP, AUTH), True, "has expired"),
        (DAY, (MCP,), True, f"is not for {AUTH}"),
    ],
)
def test_a_bad_certificate_is_not_put_into_service(
    converged: Converged, end: dt.timedelta, names: tuple[str, ...], own_key: bool, words: str
) -> None:
    machine, before = converged.machine, served(converged.machine)
    chain, key = make(names, -3 * DAY, end)
    machine.write("/run/chain.pem", chain)
    machine.write("/run/key.pem", key if own_key else make(names, -3 * DAY, end)[1], "0600")
    done = machine.run("secure-mcp-certificate", "install", "/run/chain.pem", "/run/key.pem")
    assert (done.returncode, words in done.stderr, "The one in service stays." in done.stderr) == (1, True, True), done
    assert served(machine) == before


@pytest.mark.requirement("HOST-FAULTS")
@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [(-80 * DAY, 10 * DAY, "and it was not renewed"), (-90 * DAY, -DAY, "the certificate has expired")],
)
def test_an_old_certificate_in_service_raises_the_alarm_and_service_goes_on(
    converged: Converged, begin: dt.timedelta, end: dt.timedelta, words: str
) -> None:
    machine = converged.machine
    chain, key = make((MCP, AUTH), begin, end)
    machine.shell("mkdir /run/kept && cp -p /etc/secure-mcp/tls/tls.* /run/kept/")
    try:
        machine.write("/etc/secure-mcp/tls/tls.crt", chain)
        machine.write("/etc/secure-mcp/tls/tls.key", key, "0600")
        machine.shell("systemctl reload nginx")
        until(lambda: served(machine).issuer == served(machine).subject, 30, "it is served")
        check = machine.run("secure-mcp-certificate-check")
        assert (check.returncode, words in check.stderr) == (1, True), check
        assert served(machine, AUTH)
    finally:
        machine.shell("cp -p /run/kept/tls.* /etc/secure-mcp/tls/ && rm -r /run/kept && systemctl reload nginx")
    until(lambda: machine.run("secure-mcp-certificate-check").returncode == 0, 30, "the good one is served again")
