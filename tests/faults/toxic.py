"""A TCP relay that plays a sick network: refuses, delays, swallows, resets, drips, or answers in the server's place."""

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from typing import Literal, Self

from tests.support.relay import free_port

Mode = Literal["pass", "refuse", "slow", "blackhole", "reset", "drip", "answer"]


class Toxic:
    """Listens on a loopback port of its own while it is entered and forwards to another, healthy at first.

    Args:
        target_port: where to.
        address: loopback address to listen on.
        port: to listen on; None means one that the system chooses.
    """

    def __init__(self, target_port: int, address: str = "127.0.0.1", port: int | None = None) -> None:
        self.port = port or free_port()
        self.address = address
        self.accepted = 0
        self.pieces = 0
        self._target = target_port
        self._mode: Mode = "pass"
        self._seconds, self._answer = 0.0, b""
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.be("pass")
        return self

    def __exit__(self, *_: object) -> None:
        self.be("refuse")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def be(self, mode: Mode, *, seconds: float = 30.0, answer: bytes = b"") -> None:
        """Change what happens from now on; connections that are open are cut.

        Args:
            mode: `slow` delays each piece by `seconds`, `drip` passes one byte a second, `answer` sends `answer`.
            seconds: see `mode`.
            answer: see `mode`.
        """
        self._seconds, self._answer = seconds, answer
        asyncio.run_coroutine_threadsafe(self._become(mode), self._loop).result(30)

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._writers)

    async def _become(self, mode: Mode) -> None:
        self._mode = mode
        if mode == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()
        if mode != "refuse" and self._server is None:
            self._server = await asyncio.start_server(self._serve, self.address, self.port)
        # What was cut has to notice before the loop may be stopped.
        while self._writers and mode == "refuse":
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._play(reader, writer)
        self._writers.discard(writer)
        writer.close()

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self._mode:
            case "reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            case "blackhole":
                await reader.read()
            case "answer":
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer)
                await writer.drain()
            case _:
                onward = await asyncio.open_connection("127.0.0.1", self._target)
                pumps = {
                    asyncio.ensure_future(self._pump(reader, onward[1])),
                    asyncio.ensure_future(self._pump(onward[0], writer)),
                }
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                onward[1].close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            self.pieces += 1
            if self._mode == "slow":
                await asyncio.sleep(self._seconds)
            size = 1 if self._mode == "drip" else len(piece)
            for at in range(0, len(piece), size):
                writer.write(piece[at : at + size])
                await writer.drain()
                if self._mode == "drip":
                    await asyncio.sleep(1)
