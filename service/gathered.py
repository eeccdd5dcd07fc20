"""A connection that sends together what is written together.

uvicorn writes the head of an answer and its body apart: two system calls, two packets, a client that wakes up twice.
"""

import asyncio
from typing import Any


class GatheredTransport(asyncio.Transport):
    """Holds a first write back for a second one, until the event loop's next turn at most.

    Args:
        transport: of the connection.
        loop: the running event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send data, after what is held back; or hold it back."""
        if self._held:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        elif data:
            self._held = bytes(data)
            self._loop.call_soon(self._let_go)

    def close(self) -> None:
        """Send what is held back, and close."""
        self._let_go()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closing or closed."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport says, such as its `socket`."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Take nothing more from the caller for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on to read."""
        self._transport.resume_reading()

    def _let_go(self) -> None:
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._transport.write(held)
