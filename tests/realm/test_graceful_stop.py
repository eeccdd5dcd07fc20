"""A service that is told to stop answers what is under way, takes nothing new, and is gone within 30 seconds."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.faults.drills import FIGURES
from tests.support.http import bearer, message
from tests.support.realm import Stack
from tests.support.until import until

GONE_WITHIN_S = 30
CALLS = 5


def begin(host: str, port: int, audience: str, token: str, text: str) -> tuple[socket.socket, bytes]:
    """Send the head of a tool call and half of its body; return when the service waits for the rest."""
    body, headers = message("tools/call", {"name": "echo", "arguments": {"text": text}})
    content = json.dumps(body).encode()
    headers |= bearer(token) | {
        "Host": urlsplit(audience).netloc,
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "Expect": "100-continue",
    }
    lines = [f"POST {urlsplit(audience).path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    connection = socket.create_connection((host, port), timeout=60)
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    # It says so when it begins to read the body: from then on the call is under way.
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    half = len(content) // 2
    connection.sendall(content[:half])
    return connection, content[half:]


def rest_of(connection: socket.socket) -> bytes:
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


def refuses(host: str, port: int) -> bool:
    """Say whether nobody listens any more."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return True
    return False


@pytest.mark.requirement("SERVICE-DRAIN")
def test_calls_under_way_are_answered_after_sigterm(
    stack: Stack, start_service, reader_token: str, record_property: Callable[[str, object], None]
) -> None:
    with ExitStack() as closing:
        service = closing.enter_context(start_service())
        service.process.wait_ready(60)
        host, port = "127.0.0.1", urlsplit(service.url).port
        calls = [begin(host, port, stack.mcp_url, reader_token, f"call {number}") for number in range(CALLS)]
        for connection, _ in calls:
            closing.callback(connection.close)
        told = time.monotonic()
        os.kill(service.process.pid, signal.SIGTERM)  # the master alone, as an engine does
        until(lambda: refuses(host, port), GONE_WITHIN_S, "no new connections")
        for number, (connection, rest) in enumerate(calls):
            connection.sendall(rest)
            answer = rest_of(connection)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            assert f"call {number}".encode() in answer
        until(lambda: service.process.pid is None, GONE_WITHIN_S - (time.monotonic() - told), "the service is gone")
        record_property(FIGURES, {"answered": len(calls), "failed": 0, "gone_s": time.monotonic() - told})
