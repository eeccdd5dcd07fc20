"""secure-mcp doctor against servers that mean harm: bounded in time and size, never led inside, nothing printed raw."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.doctor.addresses import kind_of, may_follow
from ops.doctor.chain import plain
from ops.doctor.faults import FAULTS
from ops.doctor.fetch import split
from ops.doctor.hops.authorization_server import candidates_of
from ops.doctor.report import scrubber

Answering = Callable[[socket.socket, bytes], None]


class Server:
    """A listening socket; each connection's request is read and given to `answer`."""

    def __init__(self, answer: Answering) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        self._answer = answer
        self.asked: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = connection.recv(65536)
                self.asked.append(request)
                self._answer(connection, request)
            except OSError:
                return

    def close(self) -> None:
        """Stop listening; a second call does nothing."""
        if self._listener.fileno() >= 0:
            # Without the shutdown the thread that accepts would keep the socket listening.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Answering], Server]]:
    servers: list[Server] = []

    def start(answer: Answering) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def says(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def always(answer: bytes) -> Answering:
    return lambda connection, _: connection.sendall(answer)


def drips(connection: socket.socket, _: bytes) -> None:
    """One byte at a time, each in time: only a deadline for the whole ends this."""
    connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nX-Slow: ")
    gone = threading.Event()
    while not gone.wait(0.05):
        connection.sendall(b"a")


def pours(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        connection.sendall(b'"' + b"a" * 65536)


def headers_without_end(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 401 Unauthorized\r\n")
    while True:
        connection.sendall(b"X-A: " + b"a" * 8192 + b"\r\n")


def silent(connection: socket.socket, _: bytes) -> None:
    while connection.recv(1024):
        pass


def loops(connection: socket.socket, request: bytes) -> None:
    number = request.count(b"a")
    connection.sendall(says("307 Temporary Redirect", Location=f"/{'a' * (number + 1)}"))


DEEP = b'{"a":' * 100_000
HOSTILE: dict[str, Answering] = {
    "a body without end": pours,
    "headers without end": headers_without_end,
    "a byte at a time": drips,
    "silence": silent,
    "redirects without end": loops,
    "a redirect to itself": always(says("308 Permanent Redirect", Location="/mcp")),
    "a redirect to a file": always(says("302 Found", Location="file:///etc/passwd")),
    "a redirect to no URL": always(says("302 Found", Location="http://[::1")),
    "a redirect to no port": always(says("302 Found", Location="http://localhost:99999/")),
    "no HTTP": always(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nothing": always(b""),
    "a negative length": always(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
    "JSON that is deep": always(says("200 OK", DEEP, Content_Type="application/json")),
    "JSON that is a list": always(says("200 OK", b"[1]", Content_Type="application/json")),
    "no JSON": always(says("200 OK", b"<html>", Content_Type="application/json")),
    "no UTF-8": always(says("200 OK", b'{"a": "\xff"}', Content_Type="application/json")),
    "gzip": always(says("200 OK", b"\x1f\x8b\x08\x00" + b"a" * 100, Content_Encoding="gzip")),
    "wrong types everywhere": always(
        says("200 OK", b'{"resource": 1, "authorization_servers": {"a": 1}, "scopes_supported": 7, "keys": [1, {}]}')
    ),
    "issuers that are no URLs": always(
        says("200 OK", b'{"resource": "http://[", "authorization_servers": ["http://[::1", "x"], "issuer": []}')
    ),
    "a challenge that is noise": always(says("401 Unauthorized", WWW_Authenticate='Bearer realm="\\", =,,,"')),
    "a date that is none": always(says("401 Unauthorized", Date="yesterday")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_is_judged_within_bounds(serve: Callable[[Answering], Server], name: str) -> None:
    begin = time.monotonic()
    result = CliRunner().invoke(app, ["doctor", serve(HOSTILE[name]).url, "--timeout", "0.3", "--json"])
    assert result.exit_code in (1, 3), f"{result.exit_code} {result.output} {result.exception!r}"
    report = json.loads(result.stdout)
    assert report["exit_code"] == result.exit_code
    assert report["findings"]
    assert time.monotonic() - begin < 30


def test_nobody_there_is_exit_code_3(serve: Callable[[Answering], Server]) -> None:
    server = serve(silent)
    server.close()
    result = CliRunner().invoke(app, ["doctor", server.url])
    assert result.exit_code == 3
    assert "CONNECT-NONE" in result.stdout


def test_a_name_without_address_is_exit_code_3() -> None:
    result = CliRunner().invoke(app, ["doctor", "https://nothing.invalid/mcp", "--timeout", "5"])
    assert result.exit_code == 3
    assert "DNS-NONE" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["ftp://host/mcp"],
        ["host"],
        ["http://user:password@host/mcp"],
        ["http://host:99999/"],
        ["http://h/mcp", "--timeout", "0"],
        ["http://h/mcp", "--timeout", "inf"],
        ["http://h/mcp", "--threshold", "awful"],
        ["http://h/mcp", "--origin", "http://h/path"],
        ["http://h/mcp", "--ca", "/nonexistent.pem"],
        ["http://h/mcp", "--token-file", "/nonexistent"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    result = CliRunner().invoke(app, ["doctor", *arguments])
    assert getattr(result.exception, "code", None) == 2
    assert "password" not in result.output + str(result.exception)


@pytest.mark.parametrize("text", ["", "two tokens", "\u00fc", "a" * 70_000])
def test_what_is_no_single_token_is_exit_code_2(text: str) -> None:
    result = CliRunner().invoke(app, ["doctor", "http://127.0.0.1:1/mcp", "--token-file", "-"], input=text)
    assert getattr(result.exception, "code", None) == 2


def test_an_escape_sequence_does_not_reach_the_terminal(serve: Callable[[Answering], Server]) -> None:
    body = json.dumps(
        {"resource": "\x1b[2J\u202e[red]x", "authorization_servers": ["http://127.0.0.1:1/\x1b[2J"]}
    ).encode()
    server = serve(always(says("200 OK", body)))
    result = CliRunner().invoke(app, ["doctor", server.url, "--timeout", "1"])
    assert result.exit_code == 1
    assert "\x1b[2J" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "[red]x" in result.stdout


def test_a_token_that_the_server_echoes_is_not_printed(serve: Callable[[Answering], Server]) -> None:
    token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"

    def echo(connection: socket.socket, request: bytes) -> None:
        sent = request.partition(b"Bearer ")[2].partition(b"\r\n")[0].decode()
        connection.sendall(says("401 Unauthorized", WWW_Authenticate=f'Bearer error="{sent or token}"'))

    for more in ([], ["--json"]):
        arguments = ["doctor", serve(echo).url, "--token-file", "-", *more]
        result = CliRunner().invoke(app, arguments, input=token)
        assert result.exit_code == 1
        assert not any(part in result.stdout for part in token.split("."))
    assert scrubber(token)(f"a {token} b") == "a (token) b"


def test_a_token_does_not_go_to_a_server_of_another_issuer(serve: Callable[[Answering], Server]) -> None:
    server = serve(always(says("401 Unauthorized", WWW_Authenticate="Bearer")))
    token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
    result = CliRunner().invoke(app, ["doctor", server.url, "--token-file", "-"], input=token)
    assert "TOKEN-ISSUER" in result.stdout
    assert not [request for request in server.asked if token.encode() in request]


@pytest.mark.parametrize(
    ("target", "address", "allowed"),
    [
        ("93.184.216.34", "93.184.216.35", True),
        ("93.184.216.34", "10.0.0.1", False),
        ("93.184.216.34", "127.0.0.1", False),
        ("93.184.216.34", "169.254.169.254", False),
        ("93.184.216.34", "::ffff:127.0.0.1", False),
        ("93.184.216.34", "fd00::1", False),
        ("93.184.216.34", "0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("10.0.0.1", "10.0.0.2", True),
        ("10.0.0.1", "93.184.216.34", True),
        ("10.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", "10.0.0.1", True),
        ("127.0.0.1", "169.254.169.254", False),
        ("169.254.169.254", "169.254.169.254", True),
    ],
)
def test_a_server_may_point_outward_and_never_inward(target: str, address: str, allowed: bool) -> None:
    assert may_follow([ip_address(target)], ip_address(address)) is allowed


def test_link_local_and_mapped_addresses_are_told() -> None:
    assert kind_of(ip_address("::ffff:10.0.0.1")) == "private"
    assert kind_of(ip_address("fe80::1")) == "special"


def test_the_urls_of_a_client_are_tried_in_its_order() -> None:
    assert candidates_of("https://h/auth/realms/r") == [
        "https://h/.well-known/oauth-authorization-server/auth/realms/r",
        "https://h/.well-known/openid-configuration/auth/realms/r",
        "https://h/auth/realms/r/.well-known/openid-configuration",
    ]
    assert len(candidates_of("https://h")) == 2


def test_foreign_text_is_one_bounded_line() -> None:
    assert plain("a\nb\x1b[0m") == "a?b?[0m"
    assert len(plain("a" * 10_000)) < 400


@pytest.mark.parametrize("url", ["http://[::1", "https://a:b@c/", "javascript:alert(1)", "http://", "//host/x"])
def test_what_is_no_url_of_a_server_is_not_asked(url: str) -> None:
    assert split(url) is None


def test_every_fault_says_why_and_how() -> None:
    for fault in FAULTS.values():
        assert fault.why.endswith("."), fault.id
        assert fault.fix.endswith("."), fault.id
        assert fault.reference, fault.id
