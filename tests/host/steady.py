"""A steady stream of https requests, half of them on connections that are kept, half on new ones."""

import contextlib
import select
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Self

THREADS = 8


class Steady:
    """Asks for a page that the edge answers itself, until the block ends.

    A connection that the server closed while it was idle is not used again, as clients do; a request that was sent and
    not answered counts as failed.

    Args:
        address: of the machine.
        name: public name.
        authority: file with the certificate to trust.
        rate: requests a second, all threads together.
    """

    def __init__(self, address: str, name: str, authority: Path, rate: float = 100) -> None:
        self.answered = 0
        self.failures: list[str] = []
        self.serials: set[str] = set()
        self._where = (address, name)
        self._context = ssl.create_default_context(cafile=str(authority))
        self._pause = THREADS / rate
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(i % 2 == 0,), daemon=True) for i in range(THREADS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(40)

    def _run(self, keep: bool) -> None:
        connection: ssl.SSLSocket | None = None
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._pause, time.monotonic() - 1)
            try:
                if connection is None or _closed(connection):
                    connection = self._connect()
                status = self._ask(connection)
                with self._lock:
                    self.answered += 1
                    if status != b"404":
                        self.failures.append(status.decode())
            except OSError as error:
                with self._lock:
                    self.failures.append(repr(error))
                connection = None
            if not keep and connection is not None:
                connection.close()
                connection = None

    def _connect(self) -> ssl.SSLSocket:
        address, name = self._where
        plain = socket.create_connection((address, 443), 10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = self._context.wrap_socket(plain, server_hostname=name)
        certificate = connection.getpeercert()
        with self._lock:
            self.serials.add(str((certificate or {}).get("serialNumber")))
        return connection

    def _ask(self, connection: ssl.SSLSocket) -> bytes:
        connection.sendall(f"GET /nothing HTTP/1.1\r\nHost: {self._where[1]}\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = connection.recv(65536)
            if not part:
                raise ConnectionError("no answer")
            answer += part
        head, body = answer.split(b"\r\n\r\n", 1)
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head.split(b" ", 2)[1]


def _closed(connection: ssl.SSLSocket) -> bool:
    """Say whether the server has ended an idle connection, whose only readable thing is its end or a session ticket."""
    readable, _, _ = select.select([connection], [], [], 0)
    if not readable:
        return False
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except ssl.SSLWantReadError:
        return False
    finally:
        with contextlib.suppress(OSError):
            connection.setblocking(True)
            connection.settimeout(10)
