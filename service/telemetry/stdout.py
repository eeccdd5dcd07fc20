"""Standard output as a place for lines, shared by all workers and read by a container engine or journald."""

import fcntl
import os
import select
import stat
import sys
import termios
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Final

from service.telemetry.outlet import Outlet

# A write to a pipe of at most this many bytes is never torn apart by another worker's (POSIX PIPE_BUF on Linux).
MAX_CHUNK_BYTES: Final = 4096
# Linux gives a pipe 64 KiB, which is less than busy workers write in ten milliseconds, and at most this to anybody.
PIPE_BYTES: Final = 1024 * 1024
# Each write wakes the reader, which costs more than to copy what is written. Linux lets no other write in between while
# there is room for the whole: so much is written at once where three quarters of a large pipe are free.
MAX_ROOMY_CHUNK_BYTES: Final = 65_536

_torn = False


def write_stdout(lines: Sequence[str]) -> int:
    """Write lines to standard output and return how many were lost.

    Args:
        lines: ASCII, without line breaks.
    """
    if _captured():
        print("".join(f"{line}\n" for line in lines), end="", file=sys.stdout)
        return 0
    descriptor = _descriptor()
    return sum(count for count, chunk in _chunks(lines) if not _write(descriptor, chunk))


def _captured() -> bool:
    """Whether standard output is another's, such as of a test, or none."""
    return sys.stdout is not sys.__stdout__ or sys.stdout is None


def _descriptor() -> int:
    return sys.__stdout__.fileno() if sys.__stdout__ is not None else 1


def _chunks(lines: Sequence[str], limit: int = MAX_CHUNK_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yield lines put together up to the limit, and how many they are; a longer line stands alone."""
    ends = list(accumulate([len(line) + 1 for line in lines], initial=0))
    first = 0
    while first < len(lines):
        last = max(first + 1, bisect_right(ends, ends[first] + limit) - 1)
        yield last - first, _joined(lines[first:last])
        first = last


def _joined(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("ascii", "backslashreplace")


def _write(descriptor: int, chunk: bytes) -> bool:
    global _torn
    data = b"\n" + chunk if _torn else chunk
    done = 0
    while done < len(data):
        try:
            done += os.write(descriptor, data[done:])
        except BlockingIOError:
            select.select((), (descriptor,), ())
        except OSError:
            _torn = done > 0 or _torn
            return False
    _torn = False
    return True


class Pipe:
    """Writes to standard output without ever waiting, where that is a pipe, as under a container engine.

    For this the pipe is opened once more: whether a write waits is a property of what was opened, and others who hold
    our standard output, such as a terminal's shell, do not expect that to change. Elsewhere, as with a file whose disk
    hangs, no write can be known not to wait.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._size = 0
        self._asked = False

    def usable(self) -> bool:
        """Whether standard output is a pipe that may be opened so."""
        if not self._asked:
            self._asked = True
            self._descriptor = _opened_again(_descriptor())
            self._size = _enlarged(self._descriptor) if self._descriptor is not None else 0
        return self._descriptor is not None and not _captured()

    def __call__(self, lines: Sequence[str]) -> tuple[int, int]:
        """Write lines until the pipe is full; return how many are done with, and how many of these were lost."""
        global _torn
        done = lost = 0
        limit = self._limit()
        for count, chunk in _chunks(lines, limit):
            if _torn or len(chunk) > limit or self._descriptor is None:
                break  # the thread knows how to go on
            try:
                written = os.write(self._descriptor, chunk)
            except BlockingIOError:
                break
            except OSError:
                lost += count
            else:
                if written < len(chunk):  # others filled the pipe meanwhile: what they write next ends a line of ours
                    _torn = chunk[written - 1 : written] != b"\n"
                    return done + chunk.count(b"\n", 0, written) + _torn, lost + _torn
            done += count
        return done, lost

    def _limit(self) -> int:
        """Return how many bytes can be written at once so that nobody else's come in between."""
        if self._descriptor is None or self._size < PIPE_BYTES:
            return MAX_CHUNK_BYTES
        waiting = int.from_bytes(fcntl.ioctl(self._descriptor, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)
        return MAX_ROOMY_CHUNK_BYTES if waiting <= self._size // 4 else MAX_CHUNK_BYTES


def _opened_again(descriptor: int) -> int | None:
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return None
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None


def _enlarged(descriptor: int) -> int:
    """Return how many bytes a pipe holds, after it was made larger where the system allows it."""
    size = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
    with suppress(OSError):
        if size < PIPE_BYTES:
            size = fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return size


STDOUT: Final = Outlet("stdout", write_stdout, at_once=Pipe())
"""What the log and, by default, the audit trail are written through, in one order."""
