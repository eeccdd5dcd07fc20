"""Requests over a plain socket, byte by byte, for what client libraries refuse to send."""

import http.client
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.http import message

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key == name]

    def json(self) -> Any:
        """Return the body as JSON, or None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class _Stream:
    """The bytes that arrive, for one reader after the other: a response must not close what the next one needs."""

    def __init__(self, source: socket.socket) -> None:
        self.file = source.makefile("rb")
        self.read, self.readinto, self.readline = self.file.read, self.file.readinto, self.file.readline

    def makefile(self, _mode: str) -> "_Stream":
        return self

    def close(self) -> None: ...

    def flush(self) -> None: ...


class Connection:
    """One TCP connection; requests are sent as they are and answers read in order."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT_SECONDS)
        self.stream: Any = _Stream(self.socket)

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has already refused may have closed its end."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def answer(self, method: str = "POST") -> Answer:
        """Read one answer; status 0 when the connection was closed without one."""
        response = http.client.HTTPResponse(self.stream, method=method)
        try:
            response.begin()
            body = response.read()
        except (http.client.BadStatusLine, ConnectionResetError):
            return Answer(0, (), b"")
        return Answer(response.status, tuple((key.lower(), value) for key, value in response.getheaders()), body)

    def close(self) -> None:
        """Close."""
        self.stream.file.close()
        self.socket.close()


@contextmanager
def connection(url: str) -> Iterator[Connection]:
    """Open a connection for the block."""
    opened = Connection(url)
    try:
        yield opened
    finally:
        opened.close()


def request(
    method: str, target: str, headers: Sequence[bytes], body: bytes = b"", *, host: str = "", close: bool = True
) -> bytes:
    """Return the bytes of a request (RFC 9112 section 2.1).

    Args:
        headers: header lines without their line breaks, sent as they are.
        host: value of Host; empty means the line is among `headers`.
    """
    lines = [f"{method} {target} HTTP/1.1".encode("utf-8", "surrogatepass")]
    if host:
        lines.append(b"Host: " + host.encode())
    lines += [*headers, b"Content-Length: %d" % len(body)]
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def call_echo(entrance: str) -> tuple[str, list[bytes], bytes]:
    """Return target, headers and body that call the tool `echo` by `mcp` or `rest`."""
    if entrance == "rest":
        return "/api/v1/tools/echo", [b"Content-Type: application/json"], b'{"text": "hello"}'
    body, headers = message("tools/call", {"name": "echo", "arguments": {"text": "hello"}})
    lines = [f"{name}: {value}".encode() for name, value in headers.items()]
    return "/mcp", [b"Content-Type: application/json", *lines], json.dumps(body).encode()
