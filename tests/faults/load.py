"""An open-loop load of good calls through the edge, from a process of its own: no call is ever sent a second time."""

import asyncio
import multiprocessing
import ssl
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.faults.calls import Call, echo
from tests.support.until import until

GIVE_UP_S = 30
CONNECT_S = 2
STREAK_S = 60

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Target:
    """An edge: its port, its name, and the file with the certificate to trust.

    With several addresses each call has a connection of its own, and asks the next address where one gives it none, as
    clients do with a name that has several: nothing of the call was sent by then.
    """

    port: int
    authority: Path
    host: str = "localhost"
    addresses: tuple[str, ...] = ("127.0.0.1",)


class OpenLoad:
    """Calls at a fixed pace, however slowly answers come, until the block ends; `calls` has all of them then.

    Half of the calls go over MCP, half over REST; of both every second one on a connection of its own.

    Args:
        target: the edge.
        token: for every call, until `use` gives another.
        rate: calls a second.
    """

    def __init__(self, target: Target, token: str, rate: float = 100) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.calls: list[Call] = []
        self._answered, self._streak = spawn.Value("L", 0), spawn.Value("L", 0)
        self._ours, theirs = spawn.Pipe()
        arguments = (target, token, rate, theirs, self._answered, self._streak)
        self._process = spawn.Process(target=_run, args=arguments, daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.more(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send(None)
        assert self._ours.poll(GIVE_UP_S + 30), "the load does not say what it saw"
        self.calls = self._ours.recv()
        self._process.join(30)
        # For whoever reads why a drill failed: pytest shows it then.
        print("calls that failed:", [call for call in self.calls if call.outcome != "200"][:20])

    def use(self, token: str) -> None:
        """Show another token from now on."""
        self._ours.send(token)

    def more(self, count: int) -> None:
        """Wait until so many further calls have ended, well or badly."""
        wanted = self._answered.value + count
        until(lambda: self._answered.value >= wanted, GIVE_UP_S + count, f"{count} more calls")

    def well_again(self, count: int = 50, deadline_s: float = STREAK_S) -> None:
        """Wait until so many calls in a row were answered as they should be."""
        self._streak.value = 0
        until(lambda: self._streak.value >= count, deadline_s, f"{count} good answers in a row")

    def statuses(self, since: float = 0.0, before: float = float("inf")) -> Counter[str]:
        """Count the outcomes of the calls that were due in a span of monotonic time."""
        return Counter(call.outcome for call in self.calls if since <= call.due < before)

    def ended_before(self, moment: float) -> set[str]:
        """Return the outcomes of the calls that had ended by then."""
        return {call.outcome for call in self.calls if call.due + call.seconds < moment}

    def failed(self, since: float = 0.0, before: float = float("inf")) -> int:
        """Count the calls of a span that were not answered as they should be."""
        return sum(count for outcome, count in self.statuses(since, before).items() if outcome != "200")

    def back_after(self, moment: float) -> float:
        """Return the seconds from a moment to the end of the last call that failed after it; 0 where none did."""
        ends = [call.due + call.seconds for call in self.calls if call.outcome != "200"]
        return max([0.0, *(end - moment for end in ends)])

    def p99_ms(self, since: float = 0.0, before: float = float("inf")) -> float:
        """Return what 99 of 100 calls of a span did not exceed, in milliseconds from when they were due."""
        seconds = sorted(call.seconds for call in self.calls if since <= call.due < before)
        return 1000 * seconds[int(len(seconds) * 0.99)] if seconds else 0.0


def _run(target: Target, token: str, rate: float, pipe: Any, answered: Any, streak: Any) -> None:
    pipe.send(asyncio.run(_Sender(target, token, answered, streak).send(rate, pipe)))


class _Sender:
    def __init__(self, target: Target, token: str, answered: Any, streak: Any) -> None:
        self._target = target
        self._token = token
        self._answered, self._streak = answered, streak
        self._context = ssl.create_default_context(cafile=str(target.authority))
        self._idle: list[Connection] = []
        self._calls: list[Call] = []

    async def send(self, rate: float, pipe: Any) -> list[Call]:
        loop, ended, number = asyncio.get_running_loop(), asyncio.Event(), 0

        def told() -> None:
            said = pipe.recv()
            if said is None:
                ended.set()
            else:
                self._token = said

        loop.add_reader(pipe.fileno(), told)
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while not ended.is_set():
                group.create_task(self._call(number, due))
                number, due = number + 1, due + 1 / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        loop.remove_reader(pipe.fileno())
        for _, writer in self._idle:
            writer.close()
        return self._calls

    async def _call(self, number: int, due: float) -> None:
        request_id, request, expected = echo(number, self._token, self._target)
        keep = number % 4 < 2 and len(self._target.addresses) == 1
        try:
            async with asyncio.timeout(GIVE_UP_S):
                outcome = await self._exchange(number, request, expected, keep)
        except TimeoutError:
            outcome = "no answer in time"
        except (OSError, asyncio.IncompleteReadError) as error:
            outcome = type(error).__name__
        self._calls.append(Call(due, time.monotonic() - due, request_id, outcome))
        self._answered.value += 1
        self._streak.value = self._streak.value + 1 if outcome == "200" else 0

    async def _connect(self, number: int) -> Connection:
        """Connect to one address after the other, beginning with another one at each call."""
        addresses = self._target.addresses
        for attempt in range(len(addresses)):
            address = addresses[(number + attempt) % len(addresses)]
            opened = asyncio.open_connection(
                address, self._target.port, ssl=self._context, server_hostname=self._target.host
            )
            if attempt == len(addresses) - 1:
                break
            try:
                async with asyncio.timeout(CONNECT_S):
                    return await opened
            except OSError:  # TimeoutError is one
                continue
        return await opened

    async def _exchange(self, number: int, request: bytes, expected: bytes, keep: bool) -> str:
        reused = self._reusable() if keep else None
        reader, writer = reused or await self._connect(number)
        stays = False
        try:
            writer.write(request)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if reused and not getattr(error, "partial", b""):
                    return "ended"  # RFC 9112 section 9.3.1: an idle connection may end at any time
                raise
            fields = head.lower().split(b"\r\n")
            length = next(int(field.partition(b":")[2]) for field in fields if field.startswith(b"content-length:"))
            body = await reader.readexactly(length)
            status = head.split(b" ", 2)[1].decode()
            stays = keep and b"connection: close" not in fields
            return "wrong" if status == "200" and expected not in body else status
        finally:
            if stays:
                self._idle.append((reader, writer))
            else:
                writer.close()

    def _reusable(self) -> Connection | None:
        """Return a kept connection that has not ended meanwhile."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return None
