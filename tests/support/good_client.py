"""A client that behaves: one call after the other at a steady pace, through the edge, from an address of its own."""

import json
import threading
import time
from collections import Counter
from typing import Self

from tests.support.target import Target


def call(target: Target, token: str, *headers: str, source: str | None = None) -> tuple[int, str]:
    """Call the tool `echo` on a new connection; return the status and the head of the answer."""
    body = json.dumps({"text": "x"})
    lines = ["POST /api/v1/tools/echo HTTP/1.1", f"Host: {target.host}", f"Authorization: Bearer {token}"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", *headers, "", body]
    with target.connect(source=source) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while more := connection.recv(65536):
            answer += more
    head = answer.partition(b"\r\n\r\n")[0].decode()
    return int(head.split()[1]), head


class GoodClient:
    """Calls until the block ends and counts the answers by status.

    Args:
        target: what is called.
        token: a good one.
        rate: calls a second.
        source: the address that it calls from.
    """

    def __init__(self, target: Target, token: str, rate: float, source: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.slowest_s = 0.0
        self._arguments = (target, token, rate, source)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        target, token, rate, source = self._arguments
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += 1 / rate
            began = time.monotonic()
            self.statuses[call(target, token, source=source)[0]] += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
