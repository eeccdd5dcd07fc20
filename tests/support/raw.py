"""One HTTP/1.1 exchange over a plain socket, for what client libraries refuse to send."""

import socket
from urllib.parse import urlsplit

from tests.support import client


def exchange(
    url: str, header: bytes, *, method: str = "POST", body: bytes = b"{}", host: str | None = None
) -> tuple[int, str]:
    """Send a request whose path and header are used byte by byte; return the status and the whole answer.

    Args:
        header: further header lines without the last line break; may be empty.
        host: what to send as Host; None means the host of the URL.
    """
    parts = urlsplit(url)
    target = url.partition(parts.netloc)[2] or "/"
    lines = [f"{method} {target} HTTP/1.1".encode(), f"Host: {host or parts.netloc}".encode(), b"Connection: close"]
    lines += [b"Content-Type: application/json", f"Content-Length: {len(body)}".encode()]
    if header:
        lines.append(header)
    with connect(url) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    text = answer.decode("latin-1")
    return int(text.split(" ", 2)[1]), text


def connect(url: str) -> socket.socket:
    """Open a connection to the host of a URL, with TLS where that is https."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
    if parts.scheme != "https":
        return connection
    return client.TRUST.wrap_socket(connection, server_hostname=parts.hostname)
