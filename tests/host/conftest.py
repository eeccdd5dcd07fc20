"""One machine for the tier: bare, then converged with certificates of an ACME authority."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

from tests.host.acme import NAME, Acme, acme_authority
from tests.host.machine import AUTH, BUNDLE, MCP, Machine, bare_machine, build
from tests.host.mirror import COMMAND_ENVIRONMENT, build_images, load_images, place_terraform
from tests.host.playbook import Playbook, Played

_lookup = socket.getaddrinfo


@dataclass(frozen=True)
class Converged:
    """The machine after the playbook ran.

    `authority` is the file with the certificate that its certificates lead to.
    """

    machine: Machine
    playbook: Playbook
    acme: Acme
    first: Played
    authority: Path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Add to the report of a failed test what the machine said during it; it is gone when somebody looks."""
    report = yield
    running = getattr(item, "funcargs", {}).get("converged")
    if report.failed and running:
        report.sections.append(("the machine meanwhile", running.machine.said(since=call.start)))
    return report


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A bare machine."""
    build()
    with bare_machine(tmp_path_factory.mktemp("machine")) as running:
        yield running


@pytest.fixture(scope="session")
def acme(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    """The ACME authority that the machine asks."""
    with acme_authority(tmp_path_factory.mktemp("acme"), machine.gateway, machine.address) as running:
        yield running


def playbook_of(machine: Machine, acme: Acme, folder: Path) -> Playbook:
    """Return the playbook with the inventory of a machine that asks this authority."""
    machine.write("/etc/secure-mcp-test/acme.crt", acme.server_authority.read_text(encoding="ascii"))
    # The real authority's root is in every system's store; so is this one's here.
    machine.shell(f"cat >>{BUNDLE} <<'PEM'\n{acme.root()}\nPEM")
    values = {
        "stack_environment": "staging",  # prod wants four cores
        "stack_values": {"image_digests": {}},  # images of tests/images cannot have the published ones
        "stack_command_environment": COMMAND_ENVIRONMENT,
        "certificates_acme_directory": acme.directory,
        "certificates_acme_ca_file": "/etc/secure-mcp-test/acme.crt",
        "certificates_email": f"ops@{NAME}",
    }
    return Playbook(machine, folder, values)


@pytest.fixture(scope="session")
def playbook(machine: Machine, acme: Acme, tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    """The playbook, on a machine where an offline mirror has placed what no registry gives."""
    place_terraform(machine)
    return playbook_of(machine, acme, tmp_path_factory.mktemp("inventory"))


@pytest.fixture(scope="session")
def dry_run(playbook: Playbook) -> Played:
    """The playbook in check mode on the untouched machine."""
    return playbook.run("--check", "--diff")


@pytest.fixture(scope="session")
def converged(machine: Machine, playbook: Playbook, acme: Acme, dry_run: Played) -> Converged:
    """The converged machine: what needs no images first, since these are loaded into the engine that it brings."""
    images = build_images()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load_images, machine, images)
        first = playbook.converge("--tags=base,docker,nginx,certificates")
        loading.result()
    playbook.converge("--tags=stack,backup,monitoring")
    authority = acme.folder / "root.pem"
    authority.write_text(acme.root(), encoding="ascii")
    return Converged(machine, playbook, acme, first, authority)


@pytest.fixture(scope="session")
def host(converged: Converged) -> Host:
    """The converged machine for testinfra."""
    return testinfra.get_host(f"docker://{converged.machine.name}")


@pytest.fixture
def names(converged: Converged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process find the machine by its public names."""

    def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
        found = host.decode() if isinstance(host, bytes) else host
        return _lookup(converged.machine.address if found in {MCP, AUTH} else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
