"""A server process of ours: known again by pid and creation time, stopped with all its children."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from ops.errors import unreachable
from ops.output import short

_SLACK_S = 0.05


class ServerProcess:
    """A process with all its children.

    Args:
        name: what to call it in messages.
        log: file that stdout and stderr are appended to.
        pid_file: where pid and creation time are kept, so that another command finds the process.
    """

    def __init__(self, name: str, log: Path, pid_file: Path) -> None:
        self.name = name
        self.log = log
        self.pid_file = pid_file
        self._child: subprocess.Popen[bytes] | None = None

    def launch(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        """Start the program; secrets belong into `env`, never into `argv`."""
        for folder in (self.log.parent, self.pid_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - programs of ours, no shell
                argv, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        record = {"pid": self._child.pid, "created": _created(psutil.Process(self._child.pid))}
        fresh = self.pid_file.with_suffix(".new")
        fresh.write_text(json.dumps(record) + "\n", encoding="utf-8")
        fresh.replace(self.pid_file)

    @property
    def pid(self) -> int | None:
        """Pid of the leader while any process of the group lives, else None; of a member where the leader died."""
        record = self._record()
        living = {process.pid for process in _group(*record)} if record else set()
        return record[0] if record and record[0] in living else min(living, default=None)

    def wait_until(self, ready: Callable[[], bool], deadline_s: float) -> None:
        """Wait for a condition.

        Raises:
            OperatorError: the process ended, or the condition does not hold at the deadline.
        """
        end = time.monotonic() + deadline_s
        while not ready():
            if self.pid is None:
                raise unreachable(f"{self.name} ended while starting. {self._last_words()}", f"Read {short(self.log)}.")
            if time.monotonic() > end:
                next_step = (
                    f"Read {short(self.log)}; on a slow machine run `make up` again: it waits for the same process."
                )
                raise unreachable(
                    f"{self.name} was not ready after {deadline_s:.0f} s. {self._last_words()}", next_step
                )
            time.sleep(0.25)

    def stop(self, grace_s: float = 20) -> bool:
        """End the whole group: TERM, after the grace period KILL. Returns whether anything was there to stop.

        Args:
            grace_s: seconds between the two signals.
        """
        record = self._record()
        found = bool(record and _group(*record))
        if record and found:
            self._signal(record, signal.SIGTERM)
            if not self._gone(record, grace_s):
                self._signal(record, signal.SIGKILL)
                if not self._gone(record, 10):
                    raise unreachable(
                        f"{self.name} (pid {record[0]}) does not end.", "Look at it with ps; it may wait for a disk."
                    )
        self.pid_file.unlink(missing_ok=True)
        if self._child is not None:
            # Takes the exit status, so that no zombie stays; under load it comes a moment after the group is gone.
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(10)
            self._child = None
        return found

    def _record(self) -> tuple[int, float] | None:
        try:
            record = json.loads(self.pid_file.read_text(encoding="utf-8"))
            return int(record["pid"]), float(record["created"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            self.pid_file.unlink()  # half-written by a machine that went down: it names no process
            return None

    def _gone(self, record: tuple[int, float], deadline_s: float) -> bool:
        end = time.monotonic() + deadline_s
        while True:
            if self._child is not None:
                self._child.poll()
            if not _group(*record):
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.05)

    def _signal(self, record: tuple[int, float], number: signal.Signals) -> None:
        for process in _group(*record):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _last_words(self) -> str:
        if not self.log.exists():
            return ""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        wanted = [line for line in lines if "ERROR" in line or "error" in line] or lines
        return f"It said: {wanted[-1][:400]}" if wanted else "It said nothing."


def _created(process: psutil.Process) -> float:
    """Return the creation time in seconds since boot: unlike the time of day it stays the same when a clock is set."""
    return process.create_time() - psutil.boot_time()


def _group(leader: int, created: float) -> list[psutil.Process]:
    """Return the living processes of a group. None where the leader's pid belongs to a later process by now."""
    with suppress(psutil.NoSuchProcess):
        if abs(_created(psutil.Process(leader)) - created) > _SLACK_S:
            return []
    members = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members
