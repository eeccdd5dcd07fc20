"""The audit trail in a file with a hash chain, shared by all workers, size-limited, never torn by a full disk."""

import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from service.telemetry.chain import GENESIS, Link, chained, link_of
from service.telemetry.clock import now_text
from service.telemetry.events import Event

KEPT_FILES: Final = 16
ANCHOR_EVERY: Final = 1000
_TAIL_BYTES: Final = 64 * 1024
_MODE: Final = 0o600

log = structlog.get_logger(__name__)


class AuditFile:
    """Appends lines; a writer for an `Outlet`, so it runs in a thread of its own and may wait.

    Workers take turns by a lock on the file and read each other's last line where the file is not as they left it.
    A full file becomes `<path>.<number of its last line>`; the chain goes on in the next. The file stays open: each
    call of the system lets the event loop's thread in between, which costs more than the call itself.

    Args:
        path: the file; its folder exists.
        max_bytes: size from which on a new file is begun.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._descriptor: int | None = None
        self._opened = (-1, -1, -1)  # by which process, and which file: device and inode
        self._place = (-1, -1)  # inode and size as this worker left the file
        self._last = Link(0, GENESIS)
        self._anchored = -ANCHOR_EVERY
        self._lost = 0

    def __call__(self, lines: Sequence[str]) -> int:
        """Append lines and return how many were lost: none, or all where the disk takes no more."""
        try:
            descriptor, state = self._take_turn()
            try:
                self._append(descriptor, state, lines)
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        except OSError:
            self._close()
            self._lost += len(lines)
            return len(lines)
        self._lost = 0
        if self._last.seq - self._anchored >= ANCHOR_EVERY:
            self._anchored = self._last.seq
            log.info(Event.AUDIT_ANCHOR, seq=self._last.seq, hash=self._last.hash)
        return 0

    def _take_turn(self) -> tuple[int, os.stat_result]:
        """Return the file that stands at the path, open and locked, and its state."""
        if self._opened[0] != os.getpid():  # a child of the process that opened it would share its lock
            self._close()
        while True:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
                own = os.fstat(self._descriptor)
                self._opened = os.getpid(), own.st_dev, own.st_ino
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                state = self._path.stat()
                if (state.st_dev, state.st_ino) == self._opened[1:]:
                    return self._descriptor, state
            self._close()  # another worker began a new file, or somebody moved this one away

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _append(self, descriptor: int, state: os.stat_result, lines: Sequence[str]) -> None:
        size = state.st_size
        torn = b""
        if (state.st_ino, size) != self._place:
            torn = self._catch_up(descriptor, size)
        gap = [f'{{"time": "{now_text()}", "level": "info", "event": "audit_gap", "lost": {self._lost}}}']
        last, texts = self._last, []
        for text in [*(gap if self._lost else ()), *lines]:
            line, last = chained(text, last)
            texts.append(f"{line}\n")
        data = torn + "".join(texts).encode()
        try:
            written = os.write(descriptor, data)
            if written < len(data):
                raise OSError("the disk took a part of it")
        except OSError:
            os.ftruncate(descriptor, size)
            raise
        self._last, self._place = last, (state.st_ino, size + len(data))
        if self._place[1] >= self._max_bytes:
            self._begin_anew()

    def _catch_up(self, descriptor: int, size: int) -> bytes:
        """Learn the last line that another worker or an earlier process wrote; return what ends a torn one."""
        tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
        found = _last_link(tail)
        if found is None and size == 0 and (older := older_files(self._path)):
            with older[-1].open("rb") as full:
                full.seek(max(0, older[-1].stat().st_size - _TAIL_BYTES))
                found = _last_link(full.read())
        if found is not None:
            self._last = found
        return b"\n" if tail and not tail.endswith(b"\n") else b""

    def _begin_anew(self) -> None:
        self._path.rename(self._path.parent / f"{self._path.name}.{self._last.seq:012d}")
        for old in older_files(self._path)[:-KEPT_FILES]:
            old.unlink(missing_ok=True)  # the lock went with the file: another worker may be here for the next one


def older_files(path: Path) -> list[Path]:
    """Return the full files that stand beside an audit file, the oldest first."""
    return sorted(found for found in path.parent.glob(f"{path.name}.*") if found.suffix[1:].isdecimal())


def _last_link(tail: bytes) -> Link | None:
    lines = tail.decode(errors="replace").splitlines()
    return next((link for line in reversed(lines) if (link := link_of(line))), None)
