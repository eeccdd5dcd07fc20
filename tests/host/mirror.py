"""What an operator without registries places on a machine beforehand: Terraform, its providers, images."""

import os
import shutil
import subprocess
from pathlib import Path
from unittest import mock

from ops.containers.images import BASE_VARIABLES, CA_BUNDLE_VARIABLE, ensure_images
from ops.containers.up import read_contract
from tests.host.machine import BUNDLE, Machine, docker

PLUGINS = Path.home() / ".terraform.d" / "plugins"
BASES = dict(
    zip(BASE_VARIABLES.values(), ("python:3.13.15-slim-trixie", "quay.io/keycloak/keycloak:26.7.4"), strict=True)
)
FOREIGN = ("postgres:17.10-trixie", "redis:8.2.8-bookworm")
COMMAND_ENVIRONMENT = BASES | {"SSL_CERT_FILE": str(BUNDLE), "PIP_CERT": str(BUNDLE)}


def place_terraform(machine: Machine) -> None:
    """Copy this computer's Terraform, and both providers as a local mirror."""
    terraform = shutil.which("terraform")
    assert terraform
    docker("cp", "--follow-link", terraform, f"{machine.name}:/usr/local/bin/terraform")
    machine.shell("mkdir -p ~root/.terraform.d")
    docker("cp", str(PLUGINS), f"{machine.name}:root/.terraform.d/plugins")


def build_images() -> tuple[str, ...]:
    """Build the images of our own on this computer's engine, and return the names of all that the stack needs."""
    own = {CA_BUNDLE_VARIABLE: str(BUNDLE)} if BUNDLE.is_file() else {}
    with mock.patch.dict(os.environ, BASES | own):
        images = ensure_images(read_contract())
    return (images.service, images.keycloak, *FOREIGN)


def load_images(machine: Machine, names: tuple[str, ...]) -> None:
    """Load images into the engine of the machine, once the playbook, perhaps still at work, has configured it."""
    machine.shell("until [ \"$(docker info --format '{{.LiveRestoreEnabled}}' 2>&1)\" = true ]; do sleep 1; done", 1500)
    with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saved:
        loaded = subprocess.run(
            ["docker", "exec", "--interactive", machine.name, "docker", "load", "--quiet"],
            stdin=saved.stdout, capture_output=True, text=True, timeout=900,
        )  # fmt: skip
    assert (saved.returncode, loaded.returncode) == (0, 0), loaded.stderr
