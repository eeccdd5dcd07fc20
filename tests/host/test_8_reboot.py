"""The machine is switched off and on: everything comes back without hands."""

import time
from collections.abc import Callable

import httpx
import pytest

from tests.faults.drills import FIGURES
from tests.host.conftest import Converged
from tests.host.test_7_stack import context, echo, token
from tests.support.until import until

SECONDS = 180


@pytest.mark.requirement("HOST-REBOOT")
def test_after_a_reboot_everything_is_back(
    converged: Converged, names: None, record_property: Callable[[str, object], None]
) -> None:
    machine = converged.machine
    with httpx.Client(verify=context(converged), trust_env=False, timeout=10) as https:
        bearer = token(machine, https, "mcp-automation")
        assert echo(https, bearer).status_code == 200
        began = time.monotonic()
        machine.reboot(SECONDS)

        def answered() -> bool:
            try:
                return echo(https, token(machine, https, "mcp-automation")).status_code == 200
            except (httpx.HTTPError, AssertionError):
                return False

        until(answered, SECONDS - (time.monotonic() - began), "a new token and a call are answered again")
    record_property(FIGURES, {"back_s": time.monotonic() - began})
    assert machine.failed_units() == ""
    assert "table inet secure_mcp" in machine.shell("nft list tables")
    assert (
        machine.shell("systemctl is-active secure-mcp-certificate.timer secure-mcp-backup.timer fail2ban").split()
        == ["active"] * 3
    )
