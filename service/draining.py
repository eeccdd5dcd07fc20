"""How a worker ends without losing a call: callers are told to leave before their connection is taken from them.

uvicorn closes every idle connection at the moment of its shutdown, also one into which a proxy is just writing: that
call is lost, and a proxy may not send it again (RFC 9110 section 9.2.2). And a connection that was accepted in that
moment it forgets, serves on as if nothing had happened, and cuts when the time for the shutdown is over.

Here each answer of a worker that drains says `Connection: close` (RFC 9112 section 9.6), and a connection is closed
only after it was idle for a while.
"""

import asyncio
import select
import socket
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server

from service.auth.body import BODY_IS_THERE
from service.gathered import GatheredTransport

# A proxy takes the connection that it used last: what was idle for so long is hardly the next one (seconds).
IDLE_SECONDS: Final = 2.0


class DrainingProtocol(HttpToolsProtocol):
    """One connection; `DrainingServer` says through the state that they share when to drain."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Begin; one that was accepted while the listener was being closed drains as well."""
        super().connection_made(GatheredTransport(transport, self.loop))
        if self._draining:
            self.shutdown()

    def on_headers_complete(self) -> None:
        """Begin a call; while draining it is the last one of its connection."""
        super().on_headers_complete()
        if self._draining and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Tell `read_body` that it will not wait."""
        super().on_message_complete()
        self.scope[BODY_IS_THERE] = True  # type: ignore[typeddict-unknown-key]

    def shutdown(self) -> None:
        """Drain: the call under way is the last one, or else the next one that comes in time."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(IDLE_SECONDS, self._close_if_idle)

    @property
    def _draining(self) -> bool:
        return getattr(self.server_state, "draining", False)

    def _close_if_idle(self) -> None:
        if (self.cycle is not None and not self.cycle.response_complete) or self.transport.is_closing():
            return
        if _has_unread(self.transport):
            self.loop.call_later(IDLE_SECONDS, self._close_if_idle)
        else:
            self.transport.close()


def _has_unread(transport: asyncio.Transport) -> bool:
    """Whether a call has come that was not read: a busy machine may hold a process up before its timer."""
    waiting = select.poll()
    waiting.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(waiting.poll(0))


class DrainingServer(Server):
    """uvicorn's server, which tells its connections that it drains before it closes anything."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen, let calls end, then the application."""
        state: Any = self.server_state
        state.draining = True
        await super().shutdown(sockets)
