"""A small proxy that puts one fault on the way to a real server, and names itself in the server's place."""

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass
class Exchange:
    """One request and its answer, free to be changed before the answer goes out."""

    method: str
    path: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def drop(self, name: str) -> None:
        """Take a header out."""
        self.headers = [(key, value) for key, value in self.headers if key.lower() != name.lower()]

    def put(self, name: str, value: str) -> None:
        """Set a header."""
        self.drop(name)
        self.headers.append((name, value))

    def header(self, name: str) -> str:
        """Return a header; empty where it is absent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the JSON object of a 200."""
        if self.status == 200 and self.body.startswith(b"{"):
            document = json.loads(self.body)
            change(document)
            self.body = json.dumps(document).encode()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer something else altogether; an underscore in a header's name stands for a hyphen."""
        self.status, self.body = status, body
        self.headers = [(name.replace("_", "-"), value) for name, value in headers.items()]


Change = Callable[[Exchange], None]


def nothing(_: Exchange) -> None:
    """Change nothing."""


class Faulty:
    """Listens on loopback while it is entered.

    Args:
        target: origin of the real server.
        change: what to do with each answer.
        names: texts to replace in answers, such as another server's origin by its proxy's; the target's own is known.
        ask: what to do with the headers of each request before it is passed on.
        tls: context of a server certificate; None means http.
    """

    def __init__(
        self,
        target: str,
        change: Change = nothing,
        *,
        names: Mapping[str, str] | None = None,
        ask: Callable[[dict[str, str]], object] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return lambda: outer._pass(self, change, ask)
                raise AttributeError(name)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # a client that hangs up is no news
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.target = target
        self.origin = f"http{'s' if tls else ''}://localhost:{self._server.server_port}"
        self._names = {target: self.origin} | dict(names or {})
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _pass(self, handler: Any, change: Change, ask: Callable[[dict[str, str]], object] | None) -> None:
        length = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(length)
        sent = {name: value for name, value in handler.headers.items() if name.lower() not in _HOP_BY_HOP}
        own, real = urlsplit(self.origin).netloc, urlsplit(self.target).netloc
        # A request that names us means the server behind; a lie about Host or Origin goes through as it is.
        sent = {name: real if value == own else value.replace(self.origin, self.target) for name, value in sent.items()}
        if ask:
            ask(sent)
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.target).port, timeout=30)
        try:
            connection.request(handler.command, handler.path, body or None, sent)
            response = connection.getresponse()
            headers = [
                (key, self._name(value)) for key, value in response.getheaders() if key.lower() not in _HOP_BY_HOP
            ]
            content = self._name(response.read().decode()).encode()
        finally:
            connection.close()
        exchange = Exchange(handler.command, handler.path, response.status, headers, content)
        change(exchange)
        handler.send_response_only(exchange.status)
        for name, value in exchange.headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(exchange.body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(exchange.body)

    def _name(self, text: str) -> str:
        for old, new in self._names.items():
            text = text.replace(old, new)
        return text
