"""The operator's machine as the stack sees it: shows what `secure-mcp metrics` says, takes what Alertmanager tells."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class OperatorsHost(http.server.ThreadingHTTPServer):
    """Listens on every address of this machine, for containers come by the gateways of their networks.

    Args:
        numbers: returns the metrics in Prometheus's text format.
    """

    daemon_threads = True

    def __init__(self, numbers: Callable[[], bytes]) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(numbers())

            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.server.told.append(told)  # type: ignore[attr-defined]
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
                """Say nothing."""

        super().__init__(("0.0.0.0", 0), Handler)  # noqa: S104 - see the class
        self.told: list[dict[str, Any]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever asked may have gone."""

    def alerts_told(self) -> set[tuple[str, str]]:
        """Return name and status (`firing`, `resolved`) of the alerts that a webhook got."""
        return {(alert["labels"]["alertname"], alert["status"]) for message in self.told for alert in message["alerts"]}


@contextmanager
def operators_host(numbers: Callable[[], bytes]) -> Iterator[OperatorsHost]:
    """Be that machine for the block."""
    host = OperatorsHost(numbers)
    thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.shutdown()
        host.server_close()
        thread.join()
