"""An ACME authority of our own: Pebble, with its faults on, and a name server that says what the test wants."""

import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.containers.authority import ensure_certificate
from tests.host.machine import AUTH, MCP
from tests.support.relay import free_port
from tests.support.until import until

NAME = "acme.host.test"


@dataclass
class Acme:
    """The running authority.

    `directory` is its URL as a machine sees it, `server_authority` signed its own https, `log` is Pebble's.
    """

    directory: str
    server_authority: Path
    log: Path
    folder: Path
    gateway: str
    ports: dict[str, int]
    process: subprocess.Popen[bytes]

    def root(self) -> str:
        """Return the certificate that all of its certificates lead to; another one after each start."""
        context = ssl.create_default_context(cafile=str(self.server_authority))
        context.check_hostname = False
        url = f"https://{self.gateway}:{self.ports['management']}/roots/0"
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            return str(answer.read().decode())

    def resolve(self, host: str, address: str) -> None:
        """Let the authority see a name at an address, and at no other."""
        self._tell("clear-a", {"host": host})
        self._tell("add-a", {"host": host, "addresses": [address]})

    def _tell(self, what: str, message: object) -> None:
        url = f"http://{self.gateway}:{self.ports['names']}/{what}"
        with urllib.request.urlopen(url, json.dumps(message).encode(), timeout=10):
            pass

    def stop(self) -> None:
        """Let the authority be down."""
        self.process.terminate()
        self.process.wait(20)

    def start(self, **settings: str) -> None:
        """Start the authority again.

        Args:
            settings: environment variables of Pebble.
        """
        self.process = _pebble(self.folder, self.log, self.ports["dns"], self.gateway, settings)
        until(self._answers, 30, "Pebble answers")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-2000:]
        try:
            return bool(self.root())
        except OSError:
            return False


@contextmanager
def acme_authority(folder: Path, gateway: str, address: str, lifetime_s: int = 90 * 86400) -> Iterator[Acme]:
    """Start the authority and its name server.

    Args:
        folder: for its files.
        gateway: address of this computer on which they listen.
        address: of the machine, to which both names lead at first.
        lifetime_s: life of a certificate in seconds.
    """
    ports = {name: free_port() for name in ("directory", "management", "dns", "names")}
    certificate, key = ensure_certificate(folder / "authority", "acme", [NAME])
    settings = {
        "pebble": {
            "listenAddress": f"{gateway}:{ports['directory']}",
            "managementListenAddress": f"{gateway}:{ports['management']}",
            "certificate": str(certificate),
            "privateKey": str(key),
            "httpPort": 80,
            "tlsPort": 443,
            "profiles": {"default": {"description": "as usual", "validityPeriod": lifetime_s}},
        }
    }
    (folder / "pebble.json").write_text(json.dumps(settings), encoding="utf-8")
    names = subprocess.Popen(
        ["pebble-challtestsrv", "-management", f"{gateway}:{ports['names']}", "-dnsserver", f"{gateway}:{ports['dns']}",
         "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-defaultIPv4", "", "-defaultIPv6", ""],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    log = folder / "pebble.log"
    directory = f"https://{NAME}:{ports['directory']}/dir"
    server_authority = folder / "authority" / "authority.crt"
    acme = Acme(directory, server_authority, log, folder, gateway, ports, names)
    try:
        acme.start()
        for host in (MCP, AUTH):
            acme.resolve(host, address)
        yield acme
    finally:
        acme.stop()
        names.terminate()
        names.wait(20)


def _pebble(folder: Path, log: Path, dns: int, gateway: str, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    # Pebble's own faults stay on: 5 % of good nonces are refused, and a half of valid authorizations is not reused.
    environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5", "PEBBLE_AUTHZREUSE": "50"}
    with log.open("ab") as output:
        return subprocess.Popen(
            ["pebble", "-config", str(folder / "pebble.json"), "-dnsserver", f"{gateway}:{dns}"],
            env=environment | settings, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
