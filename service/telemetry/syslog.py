"""The audit trail to syslog (RFC 5424): over the machine's own socket, or as datagrams to another (RFC 5426)."""

import os
import socket
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

# Facility 13 is `log audit`, severity 6 is `informational`.
_PRIORITY: Final = 13 * 8 + 6
_TIMEOUT_SECONDS: Final = 1.0


class Syslog:
    """A writer for an `Outlet`.

    Args:
        target: path of a datagram socket such as `/dev/log`, or `udp://host:port`.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._socket: socket.socket | None = None
        self._head = f"{socket.gethostname() or '-'} secure-mcp"

    def __call__(self, lines: Sequence[str]) -> int:
        """Send lines and return how many were lost."""
        lost = 0
        for line in lines:
            time = line[10:37] if line.startswith('{"time": "') else "-"
            text = f"<{_PRIORITY}>1 {time} {self._head} {os.getpid()} audit - {line}"
            try:
                self._connected().send(text.encode())
            except OSError:
                lost += 1
                self._forget()
        return lost

    def _connected(self) -> socket.socket:
        if self._socket is None:
            if self._target.startswith("/"):
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                address: str | tuple[str, int] = self._target
            else:
                parts = urlsplit(self._target)
                address = (str(parts.hostname), parts.port or 514)
                family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
                self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.settimeout(_TIMEOUT_SECONDS)
            self._socket.connect(address)
        return self._socket

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
