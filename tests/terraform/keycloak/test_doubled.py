"""Two applies at once: one is refused or waits, none breaks what the other does."""

import os
import signal
import subprocess

import pytest

from tests.support.until import until
from tests.terraform.keycloak.conftest import Applied

LOCK = ".terraform.tfstate.lock.info"

pytestmark = pytest.mark.requirement("TERRAFORM-LOCK")


def begin(applied: Applied, *options: str) -> subprocess.Popen[str]:
    """Start an apply and return it while it is under way."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TF_VAR_", "TF_CLI_ARGS"))}
    arguments = ("-no-color", "-input=false", "-auto-approve", *applied.variables, *options)
    return subprocess.Popen(
        ["terraform", "apply", *arguments],
        cwd=applied.root.path,
        env=inherited | {"TF_IN_AUTOMATION": "1"} | applied.environment(bootstrap=False),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_of_two_applies_one_is_refused_or_waits(applied: Applied) -> None:
    first = begin(applied)
    lock = applied.root.path / LOCK
    try:
        until(lambda: lock.exists() or first.poll() is not None, 120, "the first has locked the state")
        os.kill(first.pid, signal.SIGSTOP)  # so that the second comes while it is at work, however busy the machine is
        assert lock.exists()
        second = begin(applied, "-lock-timeout=0s")
        refusal, _ = second.communicate(timeout=300)
        assert second.returncode == 1, refusal
        assert "Error acquiring the state lock" in refusal
        third = begin(applied, "-lock-timeout=10m")
    finally:
        os.kill(first.pid, signal.SIGCONT)
    printed, _ = first.communicate(timeout=300)
    assert first.returncode == 0, printed
    waited, _ = third.communicate(timeout=600)
    assert third.returncode == 0, waited
    assert "0 added, 0 changed, 0 destroyed" in waited
    code, output = applied.plan_code()
    assert code == 0, output
