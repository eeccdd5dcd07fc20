"""A way out for lines that never makes its caller wait: a bounded queue and one thread that writes.

A full disk, a pipe that nobody reads or a collector that is away cost lines, which are counted, and never a call. What
waits when the process is killed (SIGKILL) is lost: while all is well, what came within the last `GATHER_SECONDS`.

To change threads costs more than to write a dozen lines. So where a sink can say that it would have to wait
(`AtOnce`), the event loop writes the lines itself, and the thread only what the sink did not take, and what the event
loop has left for `OVERDUE_SECONDS`, because a tool holds it up.
"""

import asyncio
import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Generic, Protocol, TypeVar

MAX_LINES: Final = 10_000
MAX_BATCH: Final = 500
# Lines of this long are written together: one system call and one change of threads for many of them.
GATHER_SECONDS: Final = 0.02
OVERDUE_SECONDS: Final = 0.05
LAST_FLUSH_SECONDS: Final = 2.0

Line = TypeVar("Line")
Later = tuple[Any, ...]
"""What a line is made of, and first the function that makes it of this: many lines made together cost half as much."""
_Told = TypeVar("_Told", contravariant=True)

_outlets: "weakref.WeakSet[Outlet[Any]]" = weakref.WeakSet()


class AtOnce(Protocol[_Told]):
    """What writes without ever waiting."""

    def usable(self) -> bool:
        """Whether this sink can be written to so, now."""

    def __call__(self, lines: Sequence[_Told]) -> tuple[int, int]:
        """Write lines from the first on; return how many are done with, and how many of these were lost."""


class Outlet(Generic[Line]):
    """Passes lines, or whatever is told one at a time, on to a writer in a thread of its own.

    Args:
        name: for metrics, such as `stdout`.
        write: writes lines, in order, and returns how many of them were lost; it may block and may raise.
        max_lines: how many lines may wait; more are dropped.
        gather: for how many seconds lines are gathered.
        at_once: writes to the same place from the event loop.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[Line]], int],
        max_lines: int = MAX_LINES,
        gather: float = GATHER_SECONDS,
        at_once: AtOnce[Line] | None = None,
    ) -> None:
        self.name = name
        self.written = 0
        self.dropped = 0
        self._write = write
        self._max_lines = max_lines
        self._gather = gather
        self._at_once = at_once
        self._thread: threading.Thread | None = None
        self._awake = False
        self._forget()
        _outlets.add(self)

    def put(self, line: Line | Later) -> None:
        """Take a line, or drop and count it where too many wait already. Never blocks.

        Args:
            line: without its line break; or what makes it, which holds no more memory than a line.
        """
        if len(self._lines) >= self._max_lines:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._awake:
            self._awake = True
            self._arouse()

    def flush(self, seconds: float = LAST_FLUSH_SECONDS) -> bool:
        """Wait until what was put before is written or lost; False when the time was over first.

        Args:
            seconds: how long to wait at most.
        """
        end = time.monotonic() + seconds
        with self._idle:
            if self._lines:
                self._hurry()
            return self._idle.wait_for(lambda: not self._lines and not self._writing, max(0.0, end - time.monotonic()))

    def _arouse(self) -> None:
        """See to it that somebody writes soon."""
        self._since, self._by_loop = time.monotonic(), False
        if self._at_once is not None and self._at_once.usable():
            with suppress(RuntimeError):  # no event loop runs here
                asyncio.get_running_loop().call_later(self._gather, self._write_at_once)
                self._by_loop = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"outlet-{self.name}", daemon=True)
            self._thread.start()
        if not self._wake.is_set():  # to wake the thread for each batch that the event loop writes costs more than that
            self._wake.set()

    def _hurry(self) -> None:
        """Let the thread write now."""
        self._now.set()
        if self._thread is None:
            self._arouse()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            hurried = self._now.wait(OVERDUE_SECONDS if self._by_loop else self._gather)
            self._now.clear()
            if self._by_loop and not hurried and time.monotonic() - self._since < OVERDUE_SECONDS * 0.9:
                self._rest()
                continue
            with self._turn:
                self._awake = False  # before the queue is emptied: a line that comes from here on wakes us again
                while self._lines:
                    self._writing = True
                    self._pass_on(self._next_lines())
                self._writing = False
            with self._idle:
                self._idle.notify_all()
            self._rest()

    def _rest(self) -> None:
        """Let the thread sleep until it is woken, unless lines wait that the event loop may fail to write."""
        self._wake.clear()
        if self._awake:  # whoever put a line said so before it looked whether we are awake
            self._wake.set()

    def _write_at_once(self) -> None:
        """Write what waits, in the event loop; leave to the thread what would have to wait."""
        if self._at_once is None or not self._turn.acquire(blocking=False):
            return  # the thread is at it
        try:
            self._awake = False
            self._writing = True
            while self._lines:
                batch = self._next_lines()
                done, lost = self._at_once(batch)
                self._lines.extendleft(reversed(batch[done:]))
                self.dropped += lost
                self.written += done - lost
                if done < len(batch):  # once more soon; after `OVERDUE_SECONDS` it is the thread's turn
                    self._awake = True
                    asyncio.get_running_loop().call_later(self._gather, self._write_at_once)
                    break
        finally:
            self._writing = False
            self._turn.release()
        with self._idle:
            self._idle.notify_all()

    def _next_lines(self) -> list[Any]:
        """Take lines from the queue, and make those of which there is only what makes them."""
        take = self._lines.popleft
        found = [take() for _ in range(min(MAX_BATCH, len(self._lines)))]
        return [line[0](line) if type(line) is tuple else line for line in found]

    def _pass_on(self, batch: Sequence[Line]) -> None:
        try:
            lost = self._write(batch)
        except Exception:  # noqa: BLE001 - counted; a thread that ended would write nothing ever again
            lost = len(batch)
        self.dropped += lost
        self.written += len(batch) - lost

    def _forget(self) -> None:
        """Begin anew: in a forked child there is no thread, and what waited is the parent's to write."""
        self._lines: deque[Line | Later] = deque()
        self._wake = threading.Event()
        self._now = threading.Event()
        self._turn = threading.Lock()
        self._idle = threading.Condition()
        self._thread = None
        self._awake = self._writing = self._by_loop = False
        self._since = 0.0


def outlets() -> list[Outlet[Any]]:
    """Return every outlet of this process, for metrics."""
    return sorted(_outlets, key=lambda outlet: outlet.name)


def flush_all(seconds: float = LAST_FLUSH_SECONDS) -> bool:
    """Flush every outlet; False when one was not done in time."""
    done = [outlet.flush(seconds) for outlet in list(_outlets)]
    return all(done)


def _after_fork() -> None:
    for outlet in list(_outlets):
        outlet._forget()  # noqa: SLF001 - of this module
        outlet.written = outlet.dropped = 0


os.register_at_fork(after_in_child=_after_fork)
atexit.register(flush_all)
