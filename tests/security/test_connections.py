"""What one connection carries from request to request: nothing (RFC 9112 section 9.3)."""

import pytest

from tests.security.conftest import Bench
from tests.security.keyring import ALGORITHMS
from tests.security.steps import make
from tests.security.verdict import fault
from tests.security.wire import call_echo, connection, request

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS", "MCP-R13")


def echo(bench: Bench, token: str | None, entrance: str = "mcp", *lines: bytes) -> bytes:
    """Return a request that leaves the connection open."""
    target, headers, body = call_echo(entrance)
    headers += lines
    if token is not None:
        bench.shown.add(token)
        headers.append(b"Authorization: Bearer " + token.encode())
    return request("POST", target, headers, body, host=bench.service.host, close=False)


@pytest.mark.parametrize("entrance", ["mcp", "rest"])
def test_a_connection_carries_no_identity(bench: Bench, entrance: str) -> None:
    """Row 106."""
    with connection(bench.service.origin) as opened:
        for algorithm in ALGORITHMS:
            token = make(algorithm, [], bench.service.world)
            for shown, expected in ((token, "OK"), (None, "A"), (token[:-4], "B bad_signature"), (token, "OK")):
                opened.send(echo(bench, shown, entrance))
                answer = opened.answer()
                # A signature that was cut may also be no base64url any more.
                found = fault(expected, answer, bench.service)
                assert not found or not fault("B malformed_token", answer, bench.service), found


@pytest.mark.parametrize("entrance", ["mcp", "rest"])
def test_each_request_of_a_pipeline_is_judged_alone(bench: Bench, entrance: str) -> None:
    """Row 105: all are sent before the first is answered."""
    token = make("ES256", [], bench.service.world)
    wanted = [(token, "OK"), (None, "A"), ("x.y.z", "B malformed_token"), (token, "OK"), (None, "A")]
    with connection(bench.service.origin) as opened:
        opened.send(b"".join(echo(bench, shown, entrance) for shown, _ in wanted))
        for _, expected in wanted:
            assert not fault(expected, opened.answer(), bench.service)


def test_a_refusal_needs_no_body(bench: Bench) -> None:
    """Row 105: who asks first (100-continue) is refused before it sends anything."""
    data = echo(bench, None, "mcp", b"Expect: 100-continue")
    head, _, body = data.partition(b"\r\n\r\n")
    with connection(bench.service.origin) as opened:
        opened.send(head + b"\r\n\r\n")
        assert not fault("A", opened.answer(), bench.service)
    token = make("ES256", [], bench.service.world)
    head, _, body = echo(bench, token, "mcp", b"Expect: 100-continue").partition(b"\r\n\r\n")
    with connection(bench.service.origin) as opened:
        opened.send(head + b"\r\n\r\n")
        assert opened.socket.recv(25, 0x40) == b"HTTP/1.1 100 Continue\r\n\r\n"[:25]
        opened.send(body)
        assert not fault("OK", opened.answer(), bench.service)
