"""The public certificate: served, trusted, renewed without a lost request."""

import datetime as dt
import ssl
import time

import pytest
from cryptography import x509
from testinfra.host import Host

from tests.host.certificates import make, served
from tests.host.conftest import Converged
from tests.host.machine import AUTH, MCP, Machine
from tests.host.steady import Steady
from tests.support.until import until

RENEW = "secure-mcp-certificate renew --force"
# Ends as Debian 12's certbot does when a nonce is refused twice in a row; from then on it is the real one.
REFUSED_TWICE = """#!/bin/sh
[ -e "$0.refused" ] && exec /usr/bin/certbot "$@"
touch "$0.refused"
echo "acme.messages.Error: urn:ietf:params:acme:error:badNonce :: unacceptable" >>/var/log/letsencrypt/letsencrypt.log
exit 1
"""


@pytest.mark.requirement("HOST-CERTIFICATE")
def test_both_names_have_a_trusted_certificate(converged: Converged) -> None:
    for name in (MCP, AUTH):
        served(converged.machine, name, ssl.create_default_context(cafile=str(converged.authority)))
    names = served(converged.machine).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sorted(names.get_values_for_type(x509.DNSName)) == sorted([MCP, AUTH])


@pytest.mark.requirement("HOST-RENEWAL")
def test_the_timers_are_ours_and_the_fixed_one_is_off(host: Host) -> None:
    timers = host.check_output("systemctl list-timers --all --no-legend")
    assert "secure-mcp-certificate.timer" in timers
    assert "secure-mcp-certificate-check.timer" in timers
    assert not host.service("certbot.timer").is_enabled


@pytest.mark.requirement("HOST-RENEWAL")
def test_a_young_certificate_is_left_alone(converged: Converged) -> None:
    before = served(converged.machine).serial_number
    assert "issued" not in converged.machine.shell("secure-mcp-certificate renew")
    assert served(converged.machine).serial_number == before


@pytest.mark.requirement("HOST-RENEWAL")
def test_a_renewal_under_load_loses_no_request(converged: Converged) -> None:
    machine, before = converged.machine, served(converged.machine).serial_number
    old = int(machine.shell("pgrep --count -f 'nginx: worker process$'"))
    with Steady(machine.address, AUTH, converged.authority) as load:
        until(lambda: load.answered > 100, 30, "the load has begun")
        began = time.monotonic()
        machine.shell(RENEW)
        until(lambda: served(machine).serial_number != before, 60, "a new certificate is served")
        seconds = time.monotonic() - began
        after = load.answered
        until(lambda: load.answered > after + 300, 60, "the load goes on")
    assert load.failures == []
    assert load.explained(old), (load.reopened, load.repeated)
    assert len(load.serials) == 2
    assert seconds < 60


@pytest.mark.requirement("HOST-RENEWAL")
@pytest.mark.parametrize(("begin", "end"), [(-61, 29), (-5, 1.9)], ids=["of 90 days", "of 7 days"])
def test_what_has_less_than_a_third_of_its_life_left_is_renewed(converged: Converged, begin: float, end: float) -> None:
    machine = converged.machine
    old, _ = make((MCP, AUTH), dt.timedelta(days=begin), dt.timedelta(days=end))
    machine.write("/run/old.pem", old)
    machine.shell("cp /run/old.pem $(readlink -f /etc/letsencrypt/live/secure-mcp/fullchain.pem)")
    said = machine.shell("secure-mcp-certificate renew")
    assert "less than a third of its life is left" in said
    assert "issued by" in said
    assert "in service:" in said


@pytest.mark.requirement("HOST-RENEWAL")
def test_two_refused_nonces_are_no_failure(converged: Converged) -> None:
    machine = converged.machine
    machine.write("/opt/nonces/certbot", REFUSED_TWICE, "0755")
    said = machine.shell(f"PATH=/opt/nonces:$PATH {RENEW}; rm -r /opt/nonces")
    assert "refused two nonces in a row" in said
    assert "in service:" in said


@pytest.mark.requirement("HOST-CERTIFICATE")
def test_a_machine_without_a_public_name_has_an_authority_of_its_own(converged: Converged) -> None:
    machine, settings = converged.machine, "/etc/secure-mcp/certificate.conf"
    machine.shell(f"cp -p {settings} /run/kept.conf && sed -i s/^METHOD=.*/METHOD=self_signed/ {settings}")
    try:
        assert "issued by the host's own authority" in machine.shell("secure-mcp-certificate renew")
        context = ssl.create_default_context(cadata=machine.shell("cat /etc/secure-mcp/authority.crt"))
        assert _served_to_whoever_trusts(machine, context).issuer.rfc4514_string() == "CN=Authority of host"
        assert "issued" not in machine.shell("secure-mcp-certificate renew")
        assert machine.shell("stat -c %a /etc/secure-mcp/authority/authority.key").strip() == "600"
    finally:
        machine.shell(f"mv /run/kept.conf {settings} && secure-mcp-certificate renew")
    _served_to_whoever_trusts(machine, ssl.create_default_context(cafile=str(converged.authority)))


def _served_to_whoever_trusts(machine: Machine, context: ssl.SSLContext) -> x509.Certificate:
    """Wait for a certificate that a context trusts: for a moment another worker of Nginx may show that of before."""

    def trusted() -> x509.Certificate | None:
        try:
            return served(machine, AUTH, context)
        except ssl.SSLCertVerificationError:
            return None

    found = until(trusted, 30, "the new certificate is served")
    assert found
    return found


@pytest.mark.requirement("HOST-METRICS")
def test_the_age_is_exported(converged: Converged) -> None:
    machine = converged.machine
    machine.shell("secure-mcp-certificate-check")
    text = machine.shell("cat /var/lib/prometheus/node-exporter/secure_mcp_certificate.prom")
    values = {line.split("{")[0]: int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}
    now = served(machine)
    assert values["secure_mcp_certificate_not_after_seconds"] == int(now.not_valid_after_utc.timestamp())
    assert values["secure_mcp_certificate_renewal_failed"] == 0
