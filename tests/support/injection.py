"""A proxy that adds an access token to each request: for judges of a protocol that cannot send one themselves."""

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}


@contextlib.contextmanager
def injecting_proxy(origin: str, token: Callable[[], str]) -> Iterator[str]:
    """Run the proxy and yield its origin.

    Everything else goes through as it came, also a Host and an Origin that were made up. Only its own name is replaced
    by that of the server, which would refuse it.

    Args:
        origin: origin of the server.
        token: returns an access token for each request.
    """
    target = urlsplit(origin)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            own = f"localhost:{self.server.server_port}"
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value.replace(own, target.netloc))
            connection.putheader("Authorization", f"Bearer {token()}")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            with contextlib.closing(connection), connection.getresponse() as answer:
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP_BY_HOP | {"date", "server"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = do_DELETE = do_OPTIONS = forward  # noqa: N815 - the base class names them so

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()
