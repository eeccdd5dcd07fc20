"""Standard output as a place for lines, shared by all workers and read by a container engine or journald."""

import os
import select
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from service.telemetry.outlet import Outlet

# A write to a pipe of at most this many bytes is never torn apart by another worker's (POSIX PIPE_BUF on Linux).
MAX_CHUNK_BYTES: Final = 4096

_torn = False


def write_stdout(lines: Sequence[str]) -> int:
    """Write lines to standard output and return how many were lost.

    Args:
        lines: ASCII, without line breaks.
    """
    stream = sys.stdout
    if stream is not sys.__stdout__ or stream is None:  # captured by whatever this runs in
        print("".join(f"{line}\n" for line in lines), end="", file=stream)
        return 0
    descriptor = stream.fileno()
    return sum(count for count, chunk in _chunks(lines) if not _write(descriptor, chunk))


def _chunks(lines: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    """Yield lines put together up to the limit, and how many they are; a longer line stands alone."""
    chunk, count = bytearray(), 0
    for line in lines:
        data = f"{line}\n".encode("ascii", "backslashreplace")
        if count and len(chunk) + len(data) > MAX_CHUNK_BYTES:
            yield count, bytes(chunk)
            chunk, count = bytearray(), 0
        chunk += data
        count += 1
    if count:
        yield count, bytes(chunk)


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


STDOUT: Final = Outlet("stdout", write_stdout)
"""What the log and, by default, the audit trail are written through, in one order."""
