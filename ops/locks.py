"""A lock between processes: the second one says that it waits, and for what."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.errors import OperatorError
from ops.output import note


@contextmanager
def exclusive(path: Path, purpose: str, deadline_s: float = 600) -> Iterator[None]:
    """Hold a lock file for the time of the block; the kernel frees it when the process dies.

    Args:
        path: the lock file; made where missing.
        purpose: what the holder does, for the message to whoever waits.
        deadline_s: seconds to wait.

    Raises:
        OperatorError: still held at the deadline.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = time.monotonic() + deadline_s
        told = False
        while not _taken(descriptor):
            if not told:
                note(f"another process holds {path.name} ({purpose}); waiting")
                told = True
            if time.monotonic() > end:
                raise OperatorError(
                    f"Another process has held {path} for {deadline_s:.0f} s ({purpose}).", "End it, then try again."
                )
            time.sleep(0.2)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
