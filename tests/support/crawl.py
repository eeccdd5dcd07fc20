"""Clients that keep a connection busy at one byte a second: with a header, with a body, by reading."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat

from tests.support.target import Target

PACE_S = 1.0
ESTABLISHED = b"\1"  # tcpi_state, tcp(7)
WINDOW = 2048
GIVE_UP_S = 60.0
REQUESTS = 400  # enough answers to fill every buffer on the way


def seconds_until_cut(target: Target, kind: str, token: str) -> float:
    """Crawl until the server ends the connection, and return after how many seconds that was.

    Args:
        target: what is attacked.
        kind: `header`, `body` or `read`.
        token: good for the service; a body is only waited for once the caller is known.
    """
    with target.connect(timeout_s=PACE_S, window=WINDOW) as connection:
        began = time.monotonic()
        _KINDS[kind](connection, target, token)
        return time.monotonic() - began


def _header(connection: ssl.SSLSocket, target: Target, token: str) -> None:
    connection.sendall(f"GET /mcp HTTP/1.1\r\nHost: {target.host}\r\n".encode())
    _drip(connection, chain(b"X-Crawl: ", repeat(ord("a"))))


def _body(connection: ssl.SSLSocket, target: Target, token: str) -> None:
    lines = ["POST /api/v1/tools/echo HTTP/1.1", f"Host: {target.host}", f"Authorization: Bearer {token}"]
    lines += ["Content-Type: application/json", "Content-Length: 9000", "", ""]
    connection.sendall("\r\n".join(lines).encode())
    _drip(connection, repeat(ord(" ")))


def _read(connection: ssl.SSLSocket, target: Target, token: str) -> None:
    request = f"GET /openapi.json HTTP/1.1\r\nHost: {target.host}\r\n\r\n".encode()
    end = time.monotonic() + GIVE_UP_S
    try:
        for _ in range(REQUESTS):
            connection.sendall(request)
    except TimeoutError:
        pass  # the server takes no more requests before its answers are read
    except OSError:
        return
    while time.monotonic() < end:
        due = time.monotonic() + PACE_S
        try:
            if not connection.recv(1) or _ended(connection):
                return
        except OSError:
            return
        while time.monotonic() < due:
            time.sleep(0.05)


def _ended(connection: ssl.SSLSocket) -> bool:
    """Whether the other side has ended the connection, though what it sent before is not yet read."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != ESTABLISHED


def _drip(connection: ssl.SSLSocket, data: Iterator[int]) -> None:
    """Send a byte, look for a second whether the server has closed, and so on."""
    end = time.monotonic() + GIVE_UP_S
    while time.monotonic() < end:
        try:
            connection.sendall(bytes([next(data)]))
            if not connection.recv(4096):
                return
        except TimeoutError:
            continue
        except OSError:
            return


_KINDS: dict[str, Callable[[ssl.SSLSocket, Target, str], None]] = {"header": _header, "body": _body, "read": _read}
