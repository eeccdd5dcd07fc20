"""An edge as its attackers see it: an address that speaks TLS for a name."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """What is attacked.

    `host` is the authority as clients write it (RFC 9110 section 7.2), `authority` the file of the certificate that the
    edge's leads to.
    """

    address: str
    port: int
    host: str
    authority: Path

    def connect(
        self, *protocols: str, source: str | None = None, timeout_s: float = 10, window: int = 0
    ) -> ssl.SSLSocket:
        """Open a TLS connection.

        Args:
            protocols: names for ALPN (RFC 7301), e.g. `h2`.
            source: address of this machine that the connection comes from.
            timeout_s: seconds that one read or write may take.
            window: how many bytes this side takes in before it reads them; 0 leaves it to the system.
        """
        context = ssl.create_default_context(cafile=str(self.authority))
        if protocols:
            context.set_alpn_protocols(protocols)
        plain = socket.socket()
        if window:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        if source:
            plain.bind((source, 0))
        plain.settimeout(timeout_s)
        plain.connect((self.address, self.port))
        return context.wrap_socket(plain, server_hostname=self.host.partition(":")[0])
