"""Can this machine carry a tier? One function a tier: None means yes, a sentence says what is missing."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

TERRAFORM_MINIMUM = (1, 11)  # write-only arguments
TERRAFORM_ROOT = Path(__file__).resolve().parent.parent / "terraform"


def unit() -> str | None:
    """Every machine can."""
    return None


@cache
def realm() -> str | None:
    """A Java runtime and the Keycloak distribution; both are fetched where they are missing and can be had."""
    from ops.errors import OperatorError
    from ops.keycloak import ensure_distribution

    try:
        ensure_distribution()
    except OperatorError as error:
        return str(error)
    return None


@cache
def terraform_keycloak() -> str | None:
    """Terraform, its Keycloak provider, and what the realm tier needs."""
    return terraform_root("keycloak") or realm()


@cache
def terraform_docker() -> str | None:
    """Terraform, its Docker provider, and an engine."""
    return docker_engine() or terraform_root("docker")


@cache
def docker_engine() -> str | None:
    """A Docker engine that answers."""
    if not shutil.which("docker"):
        return "no docker program; install a Docker engine"
    done = _run(["docker", "version", "--format", "{{.Server.Version}}"])
    return None if done.returncode == 0 else "no Docker engine answers `docker version`; start one"


@cache
def host() -> str | None:
    """Root and an engine, in which a machine with systemd is made; Ansible; Pebble. `.ci/host` installs them."""
    if os.geteuid() != 0:
        return "needs root; run it on a throw-away machine with sudo"
    if not (TERRAFORM_ROOT.parent / ".venv" / "host" / "bin" / "ansible-playbook").exists():
        return "no Ansible in .venv/host; run: make venv-host"
    programs = ("ip", "mmdebstrap", "pebble", "pebble-challtestsrv", "ssh", "terraform")
    if missing := [name for name in programs if not shutil.which(name)]:
        return f"no {', '.join(missing)}; run .ci/host"
    mirror = Path.home() / ".terraform.d" / "plugins"
    if missing := [name for name in ("docker", "keycloak") if not any(mirror.glob(f"*/*/{name}"))]:
        return f"no Terraform provider {', '.join(missing)} in {mirror}, from which the machine gets it"
    return docker_engine()


@cache
def browser() -> str | None:
    """Chromium that Playwright can drive, and what the realm tier needs."""
    if importlib.util.find_spec("playwright") is None:
        return "no playwright; pip install playwright"
    from tests.support.chromium import missing_chromium

    return missing_chromium() or realm()


@cache
def faults() -> str | None:
    """Only when asked for, as `make faults` does."""
    if "faults" not in os.environ.get("SECURE_MCP_REQUIRE", "").split(","):
        return "runs when SECURE_MCP_REQUIRE names it; run: make faults"
    return faults_quick()


@cache
def faults_quick() -> str | None:
    """The real edge and a real Redis to break, and what realm needs."""
    if missing := [name for name in ("nginx", "redis-server") if not shutil.which(name)]:
        return f"no {', '.join(missing)}; install nginx and redis-server"
    return realm()


@cache
def swarm() -> str | None:
    """Only when asked for, for it takes long; root, and what terraform-docker needs: nodes are made in the engine."""
    if "swarm" not in os.environ.get("SECURE_MCP_REQUIRE", "").split(","):
        return "runs when SECURE_MCP_REQUIRE names it; run: make test-long"
    if os.geteuid() != 0:
        return "needs root; run it on a throw-away machine with sudo"
    if not shutil.which("mmdebstrap"):
        return "no mmdebstrap; run .ci/host"
    return terraform_docker()


def long() -> str | None:
    """Only when asked for: these tests take hours."""
    return (
        None
        if "long" in os.environ.get("SECURE_MCP_REQUIRE", "").split(",")
        else "runs when SECURE_MCP_REQUIRE names it"
    )


def terraform_root(name: str) -> str | None:
    """Terraform can initialise a root module: the program is new enough and the providers can be had."""
    if not (program := shutil.which("terraform")):
        return "no terraform program; install Terraform >= 1.11"
    found = re.search(r"v(\d+)\.(\d+)", _run([program, "version"]).stdout)
    if found is None or (int(found[1]), int(found[2])) < TERRAFORM_MINIMUM:
        return f"terraform is {found[0] if found else 'broken'}; install Terraform >= 1.11"
    from tests.support.terraform import initialise

    return initialise(TERRAFORM_ROOT / name)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


AVAILABILITY: dict[str, Callable[[], str | None]] = {
    "unit": unit,
    "security": unit,  # its authorization server is a fake of its own
    "realm": realm,
    "terraform-keycloak": terraform_keycloak,
    "terraform-docker": terraform_docker,
    "stack": terraform_docker,
    "host": host,
    "browser": browser,
    "faults-quick": faults_quick,
    "faults": faults,
    "swarm": swarm,
    "long": long,
}
