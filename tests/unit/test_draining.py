"""A worker that ends: a call on a connection that was idle at that moment is answered, and is the last one there."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
import uvloop
from uvicorn.server import Server

from service.draining import IDLE_SECONDS, DrainingProtocol, DrainingServer
from service.worker import Worker

pytestmark = pytest.mark.requirement("SERVICE-DRAIN")

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def application(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def head_of_answer(connection: Connection) -> str:
    reader, writer = connection
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(2) == b"ok"
    return head.decode().lower()


def drained(test: Callable[[Callable[[], Awaitable[Connection]], DrainingServer], Awaitable[None]]) -> float:
    """Run a server and a test; return the seconds that the server still took to end."""

    async def main() -> float:
        config = uvicorn.Config(
            application, http=DrainingProtocol, lifespan="off", log_config=None, timeout_graceful_shutdown=20
        )
        server = DrainingServer(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            served = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(0.01)
            opened: list[Connection] = []

            async def connect() -> Connection:
                opened.append(await asyncio.open_connection("127.0.0.1", port))
                return opened[-1]

            try:
                await test(connect, server)
            except BaseException:
                server.force_exit = True  # a test that fails must not wait for what it found
                raise
            finally:
                server.should_exit = True
            began = asyncio.get_running_loop().time()
            await asyncio.wait_for(served, 30)
            for _, writer in opened:
                writer.close()
            return asyncio.get_running_loop().time() - began

    return uvloop.run(main())  # as a worker does


async def draining(server: DrainingServer) -> None:
    server.should_exit = True
    while not getattr(server.server_state, "draining", False):
        await asyncio.sleep(0.01)


def test_a_call_on_an_idle_connection_is_answered_and_is_its_last() -> None:
    async def test(connect, server: DrainingServer) -> None:
        used, fresh = await connect(), await connect()
        assert "connection: close" not in await head_of_answer(used)
        await draining(server)
        for connection in (used, fresh):
            assert "connection: close" in await head_of_answer(connection)
            assert await connection[0].read() == b""

    assert drained(test) < IDLE_SECONDS + 5


def test_idle_connections_are_closed_after_a_while() -> None:
    async def test(connect, server: DrainingServer) -> None:
        connection = await connect()
        await head_of_answer(connection)
        await draining(server)
        assert await connection[0].read() == b""

    drained(test)


def test_a_call_that_is_there_unread_when_the_wait_is_over_is_answered() -> None:
    """On a busy machine a worker waits for its turn, and calls arrive meanwhile."""

    async def test(connect, server: DrainingServer) -> None:
        reader, writer = connection = await connect()
        await head_of_answer(connection)
        await draining(server)
        (protocol,) = server.server_state.connections
        os.write(writer.get_extra_info("socket").fileno(), REQUEST)
        protocol._close_if_idle()  # as the timer does it
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200")
        assert "connection: close" in head

    drained(test)


def test_a_connection_that_comes_while_the_listener_closes_drains_too() -> None:
    """It is made after uvicorn has looked through its connections: nobody else would ever close it."""

    async def test(connect, server: DrainingServer) -> None:
        server.server_state.draining = True
        connection = await connect()
        while not server.server_state.connections:
            await asyncio.sleep(0.01)
        assert await asyncio.wait_for(connection[0].read(), IDLE_SECONDS + 20) == b""

    drained(test)


def test_what_is_leaned_on_is_there() -> None:
    """Private names of the worker's base class, and of uvicorn."""
    assert asyncio.iscoroutinefunction(Worker.__mro__[1]._serve)
    assert Worker.__mro__[1]._install_sigquit_handler
    assert asyncio.iscoroutinefunction(Server.shutdown)
    assert Worker.CONFIG_KWARGS["http"] is DrainingProtocol
