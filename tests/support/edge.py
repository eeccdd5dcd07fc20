"""The real edge before a service: nginx with the templates of nginx/, on ports of its own."""

import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from scripts.render_nginx import example_values, render
from tests.support.relay import free_port
from tests.support.until import until


@dataclass(frozen=True)
class Edge:
    """A running edge: its origin, the folder of its files, its log and its error log."""

    origin: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "access.log"

    @property
    def errors(self) -> Path:
        return self.folder / "errors.log"

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client believes: the certificate of this edge."""
        return ssl.create_default_context(cafile=str(self.folder / "tls.crt"))

    @property
    def master(self) -> psutil.Process:
        """Nginx's first process."""
        return psutil.Process(int((self.folder / "nginx.pid").read_text(encoding="ascii")))

    def working(self) -> set[int]:
        """Return the workers that take connections: not those that are shutting down."""
        found = set()
        for worker in self.master.children():
            with suppress(psutil.Error):  # it has ended meanwhile
                if "shutting down" not in " ".join(worker.cmdline()):
                    found.add(worker.pid)
        return found

    def reload(self) -> None:
        """Load the configuration anew and wait until only new workers take connections."""
        old = self.working()
        self.master.send_signal(signal.SIGHUP)
        until(lambda: self.working() and not old & self.working(), 60, "new workers have taken over")

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/nothing", verify=self.trust, trust_env=False).status_code == 404
        except httpx.TransportError:
            return False


@contextmanager
def edge(folder: Path, port: int, service_port: int, **values: str) -> Iterator[Edge]:
    """Run nginx for the block; skip the test where it is not installed.

    Args:
        folder: for everything that it writes.
        port: of https, on localhost.
        service_port: where the service listens.
        values: of holes, in place of the examples.
    """
    program = shutil.which("nginx")
    if program is None:
        pytest.skip("nginx is not installed")
    folder.mkdir()
    plain = f"listen 127.0.0.1:{free_port()}"
    own = {
        "mcp_authority": f"localhost:{port}",
        "mcp_host": "localhost",
        "mcp_port": str(port),
        "mcp_listens": f"listen 127.0.0.1:{port} ssl http2;",
        "auth_listens": f"listen 127.0.0.1:{port} ssl http2;",
        "default_listens": f"listen 127.0.0.1:{port} ssl default_server;",
        "http_default_listens": f"{plain} default_server;",
        "http_listens": f"{plain};",
        "http_names": "localhost auth.example.com",
        "https_origins": f"localhost https://localhost:{port};",
        "health_listen": f"127.0.0.1:{free_port()}",
        "operator_listens": f"listen 127.0.0.1:{free_port()} ssl http2;",
        "service_address": f"127.0.0.1:{service_port}",
    }
    render(folder, {**example_values(folder), **own, **values})
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
    ]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    subprocess.run(command, check=True, capture_output=True)
    found = Edge(f"https://localhost:{port}", folder)
    directives = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
    with found.errors.open("wb") as errors:
        # As in the container: what nginx says goes to its standard error.
        process = subprocess.Popen(
            [program, "-c", str(folder / "nginx.conf"), "-e", "/dev/stderr", "-g", directives], stderr=errors
        )
        try:
            until(found.ready, 60, f"the edge; its words: {found.errors}")
            yield found
        finally:
            process.terminate()
            process.wait(20)
