"""Lines that the event loop writes itself: without waiting, in order, and without losing one that it cannot write."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.telemetry import stdout
from service.telemetry.outlet import GATHER_SECONDS, Outlet
from tests.support.until import until

pytestmark = pytest.mark.requirement("LOG-NONBLOCKING")


class Sink:
    """Takes lines from the event loop while there is `room`, and tells in which thread each came."""

    def __init__(self, room: int = 10**9) -> None:
        self.room = room
        self.lines: list[str] = []
        self.threads: list[bool] = []

    def usable(self) -> bool:
        return True

    def __call__(self, lines: Sequence[str]) -> tuple[int, int]:
        done = min(self.room, len(lines))
        self.room -= done
        self._take(lines[:done])
        return done, 0

    def write(self, lines: Sequence[str]) -> int:
        self._take(lines)
        return 0

    def _take(self, lines: Sequence[str]) -> None:
        self.lines += lines
        self.threads += [threading.current_thread() is threading.main_thread()] * len(lines)


def outlet_of(sink: Sink) -> Outlet[str]:
    return Outlet("test", sink.write, at_once=sink)


async def all_there(sink: Sink, number: int) -> None:
    deadline = time.monotonic() + 30
    while len(sink.lines) < number:
        assert time.monotonic() < deadline, len(sink.lines)
        await asyncio.sleep(GATHER_SECONDS)


def test_the_event_loop_writes_in_order_and_makes_lines_late() -> None:
    sink = Sink()
    outlet = outlet_of(sink)

    async def calls() -> None:
        for number in range(2000):
            outlet.put(str(number) if number % 2 else ("{0[1]}".format, number))
            if number % 100 == 0:
                await asyncio.sleep(GATHER_SECONDS)
        await all_there(sink, 2000)

    asyncio.run(calls())
    assert sink.lines == [str(number) for number in range(2000)]
    assert (outlet.written, outlet.dropped) == (2000, 0)
    assert any(sink.threads)


def test_what_the_event_loop_cannot_write_the_thread_does() -> None:
    sink = Sink(room=7)
    outlet = outlet_of(sink)

    async def calls() -> None:
        for number in range(1000):
            outlet.put(str(number))
        await all_there(sink, 1000)

    asyncio.run(calls())
    assert sink.lines == [str(number) for number in range(1000)]
    assert sink.threads.count(False) >= 1000 - 7
    assert (outlet.written, outlet.dropped) == (1000, 0)


def test_a_tool_that_holds_the_event_loop_up_does_not_hold_lines_back() -> None:
    sink = Sink()
    outlet = outlet_of(sink)

    async def calls() -> None:
        outlet.put("before the tool")
        until(lambda: sink.lines == ["before the tool"], 30, "the line, although the loop does nothing")
        assert sink.threads == [False]

    asyncio.run(calls())


def test_a_loop_that_ended_leaves_its_lines_to_the_thread() -> None:
    sink = Sink()
    outlet = outlet_of(sink)

    async def calls() -> None:
        outlet.put("the last")

    asyncio.run(calls())
    until(lambda: sink.lines == ["the last"], 30, "the line")
    outlet.put("without a loop")
    assert outlet.flush()
    assert sink.lines == ["the last", "without a loop"]


def test_a_flush_does_not_wait_for_the_gathering() -> None:
    lines: list[str] = []

    def write(batch: Sequence[str]) -> int:
        lines.extend(batch)
        return 0

    outlet: Outlet[str] = Outlet("test", write, gather=3600)
    outlet.put("x")
    assert outlet.flush(30)
    outlet.put("y")
    assert outlet.flush(30)
    assert lines == ["x", "y"]


def test_a_flush_from_elsewhere_waits_for_what_the_loop_is_writing() -> None:
    writing, go_on = threading.Event(), threading.Event()

    class Slow(Sink):
        def __call__(self, lines: Sequence[str]) -> tuple[int, int]:
            writing.set()
            assert go_on.wait(30)
            return super().__call__(lines)

    sink = Slow()
    outlet: Outlet[str] = Outlet("test", sink.write, at_once=sink)

    async def main() -> None:
        outlet.put("x")
        await asyncio.to_thread(lambda: until(lambda: sink.lines == ["x"], 30, "the line"))

    def flush() -> list[str]:
        assert writing.wait(30)
        assert not outlet.flush(0.1)
        go_on.set()
        assert outlet.flush(30)
        return list(sink.lines)

    with ThreadPoolExecutor(1) as pool:
        flushed = pool.submit(flush)
        asyncio.run(main())
        assert flushed.result(30) == ["x"]


SERVICE = """
import asyncio, sys
from service.telemetry.stdout import STDOUT
async def main():
    for number in range(int(sys.argv[1])):
        STDOUT.put(("{0[1]:0200d}".format, number))
        if number % 50 == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0.5)
    sys.stderr.write(f"{STDOUT.written} {STDOUT.dropped}\\n")
    sys.stderr.flush()
    sys.stdin.read()
asyncio.run(main())
STDOUT.flush()
sys.stderr.write(f"{STDOUT.written} {STDOUT.dropped}\\n")
"""


@pytest.mark.parametrize("count", [100, 9000])
def test_a_pipe_is_written_by_the_loop_and_a_full_one_by_the_thread(count: int) -> None:
    """9000 lines are more than a pipe holds, 100 are less."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        assert process.stdin
        assert process.stdout
        early = int(process.stderr.readline().split()[0])  # although nobody has read a byte of its output yet
        assert early == 100 if count == 100 else 0 < early < count
        process.stdin.close()
        lines = process.stdout.read().splitlines()
        assert process.stderr.readline() == f"{count} 0\n"
        assert process.wait(30) == 0
    assert lines == [f"{number:0200d}" for number in range(count)]


def test_a_pipe_that_nobody_will_read_again_costs_lines() -> None:
    code = """
import asyncio, os, sys
from service.telemetry.stdout import STDOUT
async def main():
    STDOUT.put("x")
    await asyncio.sleep(0.5)
    assert STDOUT.flush()
    os._exit(0 if (STDOUT.written, STDOUT.dropped) == (0, 1) else 1)
asyncio.run(main())
"""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert subprocess.run([sys.executable, "-c", code], stdout=writer, check=False, timeout=60).returncode == 0
    finally:
        os.close(writer)


def test_a_pipe_that_others_fill_meanwhile_costs_the_line_that_is_torn_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    pipe = stdout.Pipe()
    pipe._descriptor, pipe._asked = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK), True
    monkeypatch.setattr(stdout, "_torn", False)
    monkeypatch.setattr(pipe, "_limit", lambda: stdout.MAX_ROOMY_CHUNK_BYTES)  # there was room when it was asked
    lines = [f"{number:0999d}" for number in range(40)]
    with os.fdopen(reader, "rb") as read:
        try:
            for _ in range(15):  # of the 16 pages that a new pipe has
                os.write(writer, b"." * 4095 + b"\n")
            done, lost = pipe(lines)
            assert 0 < done < 10
            assert lost == 1
            assert pipe(lines[done:]) == (0, 0)  # the thread goes on
        finally:
            os.close(pipe._descriptor)
        # Somebody reads again, and the thread writes what is left.
        with ThreadPoolExecutor(1) as pool:
            rest = pool.submit(stdout._write, writer, stdout._joined(lines[done:]))
            found = []
            while len(found) < 15 + len(lines):
                found.append(read.readline().decode().rstrip("\n"))
            assert rest.result(30)
        os.close(writer)
        assert read.read() == b""
    whole = found[15:]
    assert whole[: done - 1] == lines[: done - 1]
    assert lines[done - 1].startswith(whole[done - 1])
    assert whole[done - 1] != lines[done - 1]
    assert whole[done:] == lines[done:]


def test_much_is_written_at_once_only_into_a_large_pipe_with_much_room() -> None:
    reader, writer = os.pipe()
    try:
        pipe = stdout.Pipe()
        pipe._descriptor, pipe._asked = writer, True
        assert pipe._limit() == stdout.MAX_CHUNK_BYTES  # nobody knows its size
        pipe._size = stdout._enlarged(writer)
        assert pipe._size >= stdout.PIPE_BYTES
        assert pipe._limit() == stdout.MAX_ROOMY_CHUNK_BYTES
        for _ in range(65):
            os.write(writer, b"." * 4096)
        assert pipe._limit() == stdout.MAX_CHUNK_BYTES
    finally:
        os.close(reader)
        os.close(writer)
