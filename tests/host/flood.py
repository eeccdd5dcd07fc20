"""One address that asks far more than its share."""

import re
import ssl
import threading
import time
from collections import Counter
from typing import Self

from tests.support.target import Target

THREADS = 4
TOGETHER = 10  # requests that are written at once: a flood must cost its sender less than its victim
MOST = 20_000  # requests, whatever the clock says
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class Flood:
    """Asks for a page of the service on connections that are kept, until the block ends.

    Each request claims another address for itself. After the block `statuses` counts the answers, and `told_to_wait`
    those that have a Retry-After.

    Args:
        target: what is asked.
        source: the address that it comes from.
        rate: requests a second, all threads together.
    """

    def __init__(self, target: Target, source: str, rate: float) -> None:
        self.statuses: Counter[int] = Counter()
        self.told_to_wait = 0
        self.seconds = 0.0
        self._target, self._source, self._pause = target, source, THREADS * TOGETHER / rate
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(THREADS)]

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self.seconds = time.monotonic() - self._began

    def _run(self, number: int) -> None:
        connection, due = None, time.monotonic()
        for _ in range(MOST // THREADS // TOGETHER):
            if self._stop.wait(max(0.0, due - time.monotonic())):
                break
            due += self._pause
            connection = connection or self._target.connect(source=self._source)
            if not self._ask(connection, number):
                connection.close()
                connection = None
        if connection:
            connection.close()

    def _ask(self, connection: ssl.SSLSocket, number: int) -> bool:
        """Send a batch and count its answers; return whether the connection goes on."""
        head = (
            f"GET /version HTTP/1.1\r\nHost: {self._target.host}\r\nX-Forwarded-For: {{0}}\r\nX-Real-IP: {{0}}\r\n\r\n"
        )
        lies = [f"198.51.100.{THREADS * count + number}" for count in range(TOGETHER)]
        answers, goes_on = b"", True
        try:
            connection.sendall("".join(head.format(lie) for lie in lies).encode())
            while goes_on and answers.count(b"\r\n\r\n") < TOGETHER:
                more = connection.recv(65536)
                answers, goes_on = answers + more, bool(more)
        except ConnectionError:
            goes_on = False  # Nginx ends a connection after its thousandth request
        with self._lock:
            self.statuses.update(int(status) for status in _STATUS.findall(answers))
            self.told_to_wait += answers.count(b"\r\nRetry-After: ")
        return goes_on
