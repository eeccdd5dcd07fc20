"""A steady load of good calls, and a flood of tokens that name unknown keys; both bounded by the block they run in."""

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Self

from tests.support import client
from tests.support.http import bearer
from tests.support.oauth import base64url

THREADS = 4


class Load:
    """Calls a URL from several threads until the block ends, and counts the answers by status.

    Args:
        url: what is called, by GET.
        token: gives the token for the next call.
        rate: calls a second, all threads together.
    """

    def __init__(self, url: str, token: Callable[[], str], rate: float) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self._url = url
        self._token = token
        self._pause = THREADS / rate
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(THREADS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(40)

    def _run(self) -> None:
        with client.Client() as http:
            due = time.monotonic()
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due += self._pause
                began = time.monotonic()
                self.statuses[http.get(self._url, headers=bearer(self._token())).status_code] += 1
                self.seconds.append(time.monotonic() - began)


def token_of_unknown_key() -> str:
    """Return a token as Keycloak shapes it, whose key id nobody knows."""
    header = {"alg": "RS256", "typ": "JWT", "kid": secrets.token_urlsafe(32)}
    parts = [base64url(json.dumps(part).encode()) for part in (header, {"typ": "Bearer"})]
    return ".".join([*parts, secrets.token_urlsafe(256)])
