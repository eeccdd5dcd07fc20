"""What stays open at the edge: WebSocket and streams pass unbuffered and live on while Nginx reloads.

The service answers at once and opens no stream today; what is behind the edge here is a small one that does.
"""

import queue
import threading
from collections.abc import AsyncIterator, Iterator

import anyio
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from tests.support.edge import Edge, edge
from tests.support.relay import free_port
from tests.support.until import until

EVENTS: queue.Queue[str] = queue.Queue()


async def echo(socket: WebSocket) -> None:
    """Send back what comes."""
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


async def events(_request: Request) -> StreamingResponse:
    """Send an event whenever the test has one; the stream is silent in between."""

    async def body() -> AsyncIterator[str]:
        while event := await anyio.to_thread.run_sync(EVENTS.get):
            yield f"data: {event}\n\n"

    return StreamingResponse(body(), media_type="text/event-stream")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    app = Starlette(routes=[WebSocketRoute("/mcp", echo), Route("/mcp", events, methods=["GET"])])
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, 60, "the server behind the edge")
        with edge(tmp_path_factory.mktemp("streams") / "nginx", free_port(), server.config.port) as running:
            yield running
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.mark.requirement("EDGE-STREAMS")
def test_a_websocket_passes_and_lives_on_while_nginx_reloads(front: Edge) -> None:
    with connect(f"{front.origin.replace('https', 'wss')}/mcp", ssl=front.trust, proxy=None) as socket:
        for text in ("there", "still there"):
            socket.send(text)
            assert socket.recv(timeout=30) == text
            front.reload()


@pytest.mark.requirement("EDGE-STREAMS")
def test_each_event_of_a_stream_comes_at_once_and_the_stream_lives_on_while_nginx_reloads(front: Edge) -> None:
    client = httpx.Client(verify=front.trust, trust_env=False, timeout=30, http1=True)
    with client, client.stream("GET", f"{front.origin}/mcp") as answer:
        lines = answer.iter_lines()
        for text in ("there", "still there"):
            EVENTS.put(text)
            assert next(line for line in lines if line) == f"data: {text}"
            front.reload()
        EVENTS.put("")
        assert not [line for line in lines if line]
