"""What is written together is sent together, and nothing is held back for longer."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
import uvloop
from uvicorn.server import ServerState

from service.auth.body import BODY_IS_THERE
from service.draining import DrainingProtocol
from service.gathered import GatheredTransport

pytestmark = pytest.mark.requirement("SERVICE-ONE-WRITE")

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Application = Callable[..., Awaitable[None]]


class Recording(GatheredTransport):
    """Passes on at once, and remembers what was written."""

    def __init__(self, transport: asyncio.Transport, written: list[bytes]) -> None:
        super().__init__(transport, asyncio.get_running_loop())
        self._written = written

    def write(self, data: bytes) -> None:
        self._written.append(data)
        self._transport.write(data)


def talk(application: Application, test: Callable[..., Awaitable[None]]) -> list[bytes]:
    """Let a test talk over one real connection; return what the service wrote into it, one by one."""

    async def main() -> list[bytes]:
        config, written = uvicorn.Config(application, http=DrainingProtocol, lifespan="off", log_config=None), []
        config.load()

        class Recorded(DrainingProtocol):
            def connection_made(self, transport: asyncio.Transport) -> None:
                super().connection_made(Recording(transport, written))

        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Recorded(config, ServerState(), {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            async with asyncio.timeout(20):
                await test(reader, writer)
        finally:
            writer.close()
            server.close()
        return written

    return uvloop.run(main())


def answering(body: bytes, status: int = 200) -> Application:
    async def application(scope, receive, send) -> None:
        await receive()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers if status != 204 else []})
        await send({"type": "http.response.body", "body": body})

    return application


def test_head_and_body_leave_in_one_piece() -> None:
    async def test(reader, writer) -> None:
        for _ in range(2):
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"ok"

    written = talk(answering(b"ok"), test)
    assert [(one[:15], one[-2:]) for one in written] == [(b"HTTP/1.1 200 OK", b"ok")] * 2


@pytest.mark.parametrize(("request_line", "status"), [(b"HEAD / HTTP/1.1", 200), (b"GET / HTTP/1.1", 204)])
def test_an_answer_without_a_body_is_not_held_back(request_line: bytes, status: int) -> None:
    async def test(reader, writer) -> None:
        writer.write(request_line + b"\r\nHost: x\r\n\r\n")
        assert b" %d " % status in await reader.readuntil(b"\r\n\r\n")

    assert len(talk(answering(b"", status), test)) == 1


def test_nothing_of_a_stream_waits_for_more() -> None:
    async def test(reader, writer) -> None:
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        for number in range(5):
            assert await reader.readexactly(8) == b"3\r\nab%d\r\n" % number
            came.release()
        assert await reader.readexactly(5) == b"0\r\n\r\n"

    came = asyncio.Semaphore(0)

    async def application(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(5):
            await send({"type": "http.response.body", "body": b"ab%d" % number, "more_body": True})
            await came.acquire()
        await send({"type": "http.response.body", "body": b""})

    talk(application, test)


def test_who_asks_whether_to_go_on_is_told_before_the_body_comes() -> None:
    async def test(reader, writer) -> None:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"body")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")

    talk(answering(b"ok"), test)


@pytest.mark.parametrize("request_", [GET.replace(b"Host", b"Connection: close\r\nHost"), b"no HTTP\r\n\r\n"])
def test_what_is_held_back_leaves_before_the_connection_is_closed(request_: bytes) -> None:
    async def test(reader, writer) -> None:
        writer.write(request_)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 ")
        assert body

    talk(answering(b"ok"), test)


def test_only_a_body_that_is_still_to_come_is_timed() -> None:
    there: list[bool] = []
    begun = asyncio.Event()

    async def application(scope, receive, send) -> None:
        there.append(BODY_IS_THERE in scope)
        begun.set()
        await answering(b"ok")(scope, receive, send)

    async def test(reader, writer) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
        for pieces in ([head + b"body"], [head, b"body"], [GET]):
            begun.clear()
            writer.write(pieces[0])
            await begun.wait()
            writer.writelines(pieces[1:])
            assert b" 200 " in await reader.readuntil(b"ok")

    talk(application, test)
    assert there == [True, False, True]
