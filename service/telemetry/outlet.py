"""A way out for lines that never makes its caller wait: a bounded queue and one thread that writes.

A full disk, a pipe that nobody reads or a collector that is away cost lines, which are counted, and never a call. What
waits when the process is killed (SIGKILL) is lost: while all is well, what came within the last `GATHER_SECONDS`.
"""

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

MAX_LINES: Final = 10_000
MAX_BATCH: Final = 500
# Lines of this long are written together: one system call and one change of threads for many of them.
GATHER_SECONDS: Final = 0.01
LAST_FLUSH_SECONDS: Final = 2.0

Line = TypeVar("Line")

_outlets: "weakref.WeakSet[Outlet[Any]]" = weakref.WeakSet()


class Outlet(Generic[Line]):
    """Passes lines, or whatever is told one at a time, on to a writer in a thread of its own.

    Args:
        name: for metrics, such as `stdout`.
        write: writes lines, in order, and returns how many of them were lost; it may block and may raise OSError.
        max_lines: how many lines may wait; more are dropped.
    """

    def __init__(self, name: str, write: Callable[[Sequence[Line]], int], max_lines: int = MAX_LINES) -> None:
        self.name = name
        self.written = 0
        self.dropped = 0
        self._write = write
        self._max_lines = max_lines
        self._lines: deque[Line] = deque()
        self._wake = threading.Event()
        self._idle = threading.Condition()
        self._thread: threading.Thread | None = None
        self._awake = False
        self._writing = False
        _outlets.add(self)

    def put(self, line: Line) -> None:
        """Take a line, or drop and count it where too many wait already. Never blocks.

        Args:
            line: without its line break.
        """
        if len(self._lines) >= self._max_lines:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._awake:
            self._awake = True
            if self._thread is None:
                self._start()
            self._wake.set()

    def flush(self, seconds: float = LAST_FLUSH_SECONDS) -> bool:
        """Wait until what was put before is written or lost; False when the time was over first.

        Args:
            seconds: how long to wait at most.
        """
        end = time.monotonic() + seconds
        with self._idle:
            return self._idle.wait_for(lambda: not self._lines and not self._writing, max(0.0, end - time.monotonic()))

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"outlet-{self.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            time.sleep(GATHER_SECONDS)
            self._awake = False  # before the queue is emptied: a line that comes from here on wakes us again
            while self._lines:
                self._writing = True
                self._pass_on([self._lines.popleft() for _ in range(min(MAX_BATCH, len(self._lines)))])
            self._writing = False
            with self._idle:
                self._idle.notify_all()

    def _pass_on(self, batch: Sequence[Line]) -> None:
        try:
            lost = self._write(batch)
        except OSError:
            lost = len(batch)
        self.dropped += lost
        self.written += len(batch) - lost

    def _forget(self) -> None:
        """Begin anew: in a forked child there is no thread, and what waited is the parent's to write."""
        self._lines = deque()
        self._wake = threading.Event()
        self._idle = threading.Condition()
        self._thread = None
        self._awake = self._writing = False


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
