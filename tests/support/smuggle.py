"""Sends the payloads of smuggling.py, each followed by a canary, and says what went to the wrong request."""

import json
import secrets
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.support.smuggling import HIDDEN, TARGET, payloads
from tests.support.target import Target

SECONDS = 4.0  # how long an answer may take; a server that waits for more of a body gives none
AT_ONCE = 8

Headers = Sequence[tuple[bytes, bytes]]


def canary(target: Target, token: str) -> tuple[str, bytes]:
    """Return a text that nobody else sends, and a request whose answer must hold it."""
    text = secrets.token_hex(12)
    body = json.dumps({"text": text}).encode()
    lines = ["POST /api/v1/tools/echo HTTP/1.1", f"Host: {target.host}", f"Authorization: Bearer {token}"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close"]
    return text, "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def smuggle(target: Target, token: str) -> tuple[int, list[str]]:
    """Send every payload over HTTP/1.1; return how many there were, and what is wrong.

    On the connection of the payload a canary follows, and two more come over connections of their own: the edge shares
    its connections to the service among its clients.
    """
    found = list(payloads(target.host))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = pool.map(lambda payload: _one(target, token, *payload), found)
    return len(found), [fault for faults in wrong for fault in faults]


def _one(target: Target, token: str, what: str, payload: bytes) -> list[str]:
    text, request = canary(target, token)
    with target.connect(timeout_s=SECONDS) as connection:
        answers = _answers(connection, payload + request)
    wrong = [f"{what}: {fault}" for fault in _faults(answers, text)]
    for _ in range(2):
        other, request = canary(target, token)
        with target.connect(timeout_s=10) as connection:
            answer = _answers(connection, request)
        if not answer.startswith(b"HTTP/1.1 200 ") or other.encode() not in answer:
            wrong.append(f"{what}: the next client got {answer[:200]!r}")
    return wrong


def _answers(connection: ssl.SSLSocket, data: bytes) -> bytes:
    """Return all that comes back until the server closes or says nothing more."""
    answers = b""
    try:
        connection.sendall(data)
        while more := connection.recv(65536):
            answers += more
    except (TimeoutError, ConnectionError, ssl.SSLError):
        return answers  # waits for the rest of a body, or has closed at once: neither is an answer
    return answers


def _faults(answers: bytes, text: str) -> list[str]:
    """The canary is answered with its own text and last, or not at all; nothing is a success of what was hidden."""
    *_, last = answers.split(b"HTTP/1.1 ")
    faults = []
    if answers.count(text.encode()) > 1:
        faults.append("the canary was answered twice")
    if text.encode() in answers and not (last.startswith(b"200 ") and text.encode() in last):
        faults.append(f"the canary's answer went astray: {answers[-400:]!r}")
    if b" 500 " in answers or b" 502 " in answers:
        faults.append(f"a server stumbled: {answers[:200]!r}")
    return faults


# Members of a request in HTTP/2 (RFC 9113 sections 8.2 and 8.3) that make two requests of one in HTTP/1.1.
HTTP2: dict[str, Headers] = {
    "transfer-encoding": [(b"transfer-encoding", b"chunked")],
    "transfer-encoding in capitals": [(b"Transfer-Encoding", b"chunked")],
    "content-length too small": [(b"content-length", b"0")],
    "content-length too large": [(b"content-length", b"4000")],
    "content-length twice": [(b"content-length", b"0"), (b"content-length", b"%d" % len(HIDDEN))],
    "content-length with plus": [(b"content-length", b"+0")],
    "line break in a value": [(b"x-a", b"a\r\nTransfer-Encoding: chunked")],
    "two requests in a value": [(b"x-a", b"a\r\n\r\n" + HIDDEN)],
    "line feed in a value": [(b"x-a", b"a\nContent-Length: 0")],
    "NUL in a value": [(b"x-a", b"a\0b")],
    "line break in a name": [(b"x-a: a\r\ntransfer-encoding", b"chunked")],
    "colon in a name": [(b"transfer-encoding: chunked\r\nx", b"y")],
    "space in a name": [(b"transfer-encoding ", b"chunked")],
    "connection": [(b"connection", b"content-length")],
    "te": [(b"te", b"chunked")],
    "upgrade": [(b"upgrade", b"h2c")],
    "proxy-connection": [(b"proxy-connection", b"keep-alive")],
    "host beside the authority": [(b"host", b"other.example")],
    "pseudo-header after a header": [(b"x-a", b"b"), (b":path", b"/smuggled")],
    "path twice": [(b":path", b"/smuggled")],
    "unknown pseudo-header": [(b":smuggled", b"1")],
    "method twice": [(b":method", b"GET /smuggled HTTP/1.1\r\nX: ")],
}
PSEUDO: dict[str, dict[bytes, bytes]] = {
    "line break in the path": {b":path": TARGET + b" HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN},
    "space in the path": {b":path": TARGET + b" HTTP/1.1"},
    "line break in the method": {b":method": b"POST /smuggled HTTP/1.1\r\nX-A: "},
    "line break in the authority": {b":authority": b"x\r\nTransfer-Encoding: chunked"},
    "line break in the scheme": {b":scheme": b"https\r\nTransfer-Encoding: chunked"},
    "absolute path": {b":path": b"https://other.example/smuggled"},
    "empty path": {b":path": b""},
    "authority of another": {b":authority": b"other.example"},
}


def smuggle_http2(target: Target, token: str) -> tuple[int, list[str]]:
    """Send every payload over HTTP/2, each on its own connection; return how many there were, and what is wrong."""
    cases = [(what, {}, extra) for what, extra in HTTP2.items()] + [
        (what, pseudo, []) for what, pseudo in PSEUDO.items()
    ]
    wrong = []
    for what, pseudo, extra in cases:
        answers = _http2(target, token, pseudo, extra)
        if 500 <= max(answers, default=0) <= 502:
            wrong.append(f"h2 {what}: a server stumbled: {answers}")
        text, request = canary(target, token)
        with target.connect() as connection:
            answer = _answers(connection, request)
        if text.encode() not in answer:
            wrong.append(f"h2 {what}: the next client got {answer[:200]!r}")
    return len(cases), wrong


def _http2(target: Target, token: str, pseudo: dict[bytes, bytes], extra: Headers) -> list[int]:
    """Send one request and return the statuses that came back."""
    usual = {b":method": b"POST", b":path": TARGET, b":scheme": b"https", b":authority": target.host.encode()} | pseudo
    headers = [*usual.items(), (b"authorization", b"Bearer " + token.encode()), (b"content-type", b"application/json")]
    configuration = h2.config.H2Configuration(
        client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
    )
    client = h2.connection.H2Connection(configuration)
    client.initiate_connection()
    client.send_headers(1, [*headers, *extra])
    client.send_data(1, HIDDEN + b"x\r\n\r\n", end_stream=True)
    statuses: list[int] = []
    with target.connect("h2", timeout_s=SECONDS) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        connection.sendall(client.data_to_send())
        try:
            while data := connection.recv(65536):
                for event in client.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived):
                        statuses.append(int(dict(event.headers)[b":status"]))
                    if isinstance(
                        event, h2.events.StreamEnded | h2.events.StreamReset | h2.events.ConnectionTerminated
                    ):
                        return statuses
        except (TimeoutError, ConnectionError, h2.exceptions.ProtocolError):
            return statuses  # refused without an answer
    return statuses
