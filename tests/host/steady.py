"""A steady stream of https requests, half of them on connections that are kept, half on new ones."""

import select
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Self

THREADS = 8
KEPT = THREADS // 2


class CutShort(OSError):
    """A connection ended in the middle of an answer."""


class Steady:
    """Asks for a page that the edge answers itself, until the block ends.

    Before 1.27.4 Nginx closes idle connections when it reloads. As clients do, this one looks whether a kept connection
    has ended before it asks on it (`reopened`), and asks once more on a new one when it ends just then, before a byte
    of the answer (`repeated`; RFC 9112 section 9.3.1). A request without an answer in the end has failed, and so has
    every new connection that gives none.

    Args:
        address: of the machine.
        name: public name.
        authority: file with the certificate to trust.
        rate: requests a second, all threads together.
    """

    def __init__(self, address: str, name: str, authority: Path, rate: float = 100) -> None:
        self.answered = 0
        self.reopened = 0
        self.repeated = 0
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
        try:
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due = max(due + self._pause, time.monotonic() - 1)
                try:
                    connection = self._ask_once_more_if_need_be(connection)
                except OSError as error:
                    self._failed(repr(error))
                    connection = None
                if not keep and connection is not None:
                    connection.close()
                    connection = None
        finally:
            if connection is not None:
                connection.close()

    def explained(self, workers: int) -> bool:
        """Say whether no more kept connections ended than so many workers explain that ended during the load.

        Each ends its idle connections when it comes to it, so who comes back at once may meet another old one.
        """
        return self.reopened + self.repeated <= KEPT * workers

    def _ask_once_more_if_need_be(self, kept: ssl.SSLSocket | None) -> ssl.SSLSocket:
        if kept is not None and _ended(kept):
            kept.close()
            kept = None
            with self._lock:
                self.reopened += 1
        connection = kept or self._connect()
        try:
            status = self._ask(connection)
        except OSError as error:
            connection.close()
            if kept is None or isinstance(error, CutShort):
                raise
            with self._lock:
                self.repeated += 1
            connection = self._connect()
            status = self._ask(connection)
        with self._lock:
            self.answered += 1
        if status != b"404":
            self._failed(status.decode())
        return connection

    def _failed(self, why: str) -> None:
        with self._lock:
            self.failures.append(why)

    def _connect(self) -> ssl.SSLSocket:
        address, name = self._where
        plain = socket.create_connection((address, 443), 10)
        try:
            connection = self._context.wrap_socket(plain, server_hostname=name)
        except OSError:
            plain.close()
            raise
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
                raise CutShort(answer) if answer else ConnectionError("no answer")
            answer += part
        head, body = answer.split(b"\r\n\r\n", 1)
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head.split(b" ", 2)[1]


def _ended(connection: ssl.SSLSocket) -> bool:
    """Whether the other side has ended an idle connection. What else may have come is a session ticket."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    connection.setblocking(False)
    try:
        return not connection.recv(1)
    except ssl.SSLWantReadError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(10)
