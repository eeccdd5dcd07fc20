"""Servers on loopback that the service under test talks to, or must never talk to."""

import json
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Handler(BaseHTTPRequestHandler):
    server: "FakeIssuer"

    def do_GET(self) -> None:
        realm, _, document = self.path.removeprefix("/realms/").partition("/")
        self.server.fetches[self.path] += 1
        keys = self.server.realms.get(realm)
        if self.server.down or keys is None:
            self.send_error(503)
            return
        issuer = self.server.issuer(realm)
        answers = {
            ".well-known/openid-configuration": {"issuer": issuer, "jwks_uri": f"{issuer}/certs"},
            "certs": {"keys": keys},
        }
        body = json.dumps(answers[document]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


class FakeIssuer(ThreadingHTTPServer):
    """Discovery and JWKS of any number of realms (OpenID Connect Discovery 1.0 section 4).

    `realms` are the keys by realm, `fetches` counts by path, `down` makes every answer a 503.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.realms: dict[str, list[dict[str, Any]]] = {}
        self.fetches: Counter[str] = Counter()
        self.down = False

    def issuer(self, realm: str) -> str:
        """Return the issuer of a realm."""
        return f"http://localhost:{self.server_port}/realms/{realm}"

    def certs_fetches(self, realm: str) -> int:
        """Return how often the keys of a realm were fetched."""
        return self.fetches[f"/realms/{realm}/certs"]


class Canary(socketserver.ThreadingTCPServer):
    """A port that nobody may connect to; `connections` counts who did."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[Any]:
    """Serve in a thread until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
