"""A flood from a process of its own, so that it does not take turns with the load that a test measures."""

import asyncio
import multiprocessing
import time
import traceback
from collections import Counter
from typing import Self

import httpx

from tests.support.load import token_of_unknown_key

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Flood:
    """Calls a URL with tokens of unknown keys until it is switched off; `statuses` counts the answers after the block.

    Args:
        url: what is called, by GET.
        rate: calls a second; the flood is bounded by the block that it runs in.
    """

    def __init__(self, url: str, rate: float) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.statuses: Counter[int] = Counter()
        self._on, self._end, self._counted = spawn.Event(), spawn.Event(), spawn.SimpleQueue()
        arguments = (url, rate, self._on, self._end, self._counted)
        self._process = spawn.Process(target=_run, args=arguments, daemon=True)

    def __enter__(self) -> Self:
        self._on.set()
        self._process.start()
        return self

    def switch(self, on: bool) -> None:
        """Begin to send, or pause."""
        (self._on.set if on else self._on.clear)()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._on.set()
        counted = self._counted.get()
        self._process.join(30)
        assert isinstance(counted, Counter), counted
        self.statuses.update(counted)


def _run(url: str, rate: float, on, end, counted) -> None:
    try:
        counted.put(asyncio.run(_send(httpx.URL(url), rate, on, end)))
    except BaseException:
        counted.put(f"the flood broke off: {traceback.format_exc()}")
        raise


async def _send(url: httpx.URL, rate: float, on, end) -> Counter[int]:
    statuses: Counter[int] = Counter()
    idle: list[Connection] = []

    async def call() -> None:
        while idle and idle[-1][0].at_eof():  # unused for longer than the service keeps it
            idle.pop()[1].close()
        connection = idle.pop() if idle else await asyncio.open_connection(url.host, url.port)
        statuses[await _status(connection, url, token_of_unknown_key())] += 1
        idle.append(connection)

    async with asyncio.TaskGroup() as calls:
        while not end.is_set():
            await asyncio.to_thread(on.wait)
            due = time.monotonic()
            while on.is_set() and not end.is_set():
                calls.create_task(call())
                due += 1 / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
    for _, writer in idle:
        writer.close()
    return statuses


async def _status(connection: Connection, url: httpx.URL, token: str) -> int:
    """Send one request on a connection that stays open: a client library would cost more than what it calls."""
    reader, writer = connection
    head = f"GET {url.path} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(head.encode())
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    length = next(line.partition(":")[2] for line in lines if line.lower().startswith("content-length:"))
    await reader.readexactly(int(length))
    return int(status.split()[1])
