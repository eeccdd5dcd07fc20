"""Debian 13 becomes the same host as Debian 12, with what its newer OpenSSL and Nginx can do."""

from pathlib import Path

import pytest

from tests.availability import host
from tests.host.acme import acme_authority
from tests.host.certificates import served
from tests.host.conftest import playbook_of
from tests.host.machine import AUTH, MCP, bare_machine, build

ROLES = "--tags=base,docker,nginx,certificates"
GROUP = "X25519MLKEM768"


@pytest.mark.requirement("HOST-DEBIAN-13")
def test_debian_13_converges_and_offers_the_hybrid_group(tmp_path: Path) -> None:
    if reason := host():
        pytest.skip(reason)
    build("trixie")
    with (
        bare_machine(tmp_path, "trixie") as machine,
        acme_authority(tmp_path, machine.gateway, machine.address) as acme,
    ):
        playbook = playbook_of(machine, acme, tmp_path)
        playbook.converge(ROLES)
        assert machine.failed_units() == ""
        for name in (MCP, AUTH):
            asked = f"openssl s_client -connect {machine.address}:443 -servername {name}"
            assert "Verification: OK" in machine.shell(f"{asked} </dev/null 2>&1")
            hybrid = machine.shell(f"{asked} -groups {GROUP} </dev/null 2>&1")
            assert f"Negotiated TLS1.3 group: {GROUP}" in hybrid, hybrid
        before = served(machine).serial_number
        again = playbook.converge(ROLES)
        assert (again.changed, again.changes()) == (0, [])
        assert served(machine).serial_number == before
