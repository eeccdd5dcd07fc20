"""The official Python client as a stranger: what is ours is memory in place of a disk, and a listener on loopback."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.browser.desk import WITHIN_S, Desk
from tests.browser.meeting import Meeting
from tests.support.http import MODERN
from tests.support.oauth import ISSUED


class Refused(Exception):
    """The authorization server sent the browser back with an error (RFC 6749 section 4.1.2.1)."""

    def __init__(self, answer: dict[str, str]) -> None:
        super().__init__(answer["error"])
        self.answer = answer


class Storage:
    """What the library asks to be kept."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None
        self.refresh_tokens: list[str] = []

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens
        self.refresh_tokens.append(tokens.refresh_token)
        ISSUED.update((tokens.access_token, tokens.refresh_token))

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@contextmanager
def loopback() -> Iterator[tuple[str, queue.Queue[dict[str, str]]]]:
    """Listen for redirects (RFC 8252 section 7.3): yields the redirect URI and the queue of answers."""
    answers: queue.Queue[dict[str, str]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.send_response(200 if parts.path == "/callback" else 404)
            self.end_headers()
            self.wfile.write(b"back at the client")
            if parts.path == "/callback":
                answers.put(dict(parse_qsl(parts.query)))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/callback", answers
        server.shutdown()
        thread.join()


class PythonStranger:
    """The package `mcp`.

    Args:
        url: the MCP endpoint, and nothing else.
        revision: the protocol revision to speak.
    """

    def __init__(self, url: str, revision: str, desk: Desk, folder: Path) -> None:
        self.url = url
        self.mode = MODERN if revision == MODERN else "legacy"
        self.desk = desk
        self.storage = Storage()

    def meet(self, widen: Callable[[str], None]) -> Meeting:
        """Go through the whole visit.

        Args:
            widen: called with the client's id after the step-up was refused.
        """
        meeting = Meeting()

        def visit() -> None:
            with loopback() as (redirect_uri, answers):
                auth = self._provider(redirect_uri, answers)
                meeting.echoed = self._call(auth, "echo", {"text": "hello"})
                meeting.client_id = self.storage.client.client_id
                try:
                    self._call(auth, "calculate", {"expression": "6*7"})
                except BaseExceptionGroup as group:
                    refused = _only(group)
                    meeting.refused = {name: refused.answer[name] for name in ("error", "iss")}
                widen(meeting.client_id)
                meeting.computed = self._call(auth, "calculate", {"expression": "6*7"})
                # As after some minutes: the access token has expired, and the library gets a new one by itself.
                auth.context.token_expiry_time = 1
                meeting.computed_after_refresh = self._call(auth, "calculate", {"expression": "6*7"})
            meeting.refresh_tokens = self.storage.refresh_tokens

        self.desk.attend(visit)
        return meeting

    def only_call(self) -> str:
        """Get in, call echo, and return the access token."""

        def visit() -> None:
            with loopback() as (redirect_uri, answers):
                self._call(self._provider(redirect_uri, answers), "echo", {"text": "hello"})

        self.desk.attend(visit)
        return self.storage.tokens.access_token

    def _provider(self, redirect_uri: str, answers: queue.Queue[dict[str, str]]) -> OAuthClientProvider:
        async def open_browser(url: str) -> None:
            self.desk.open(url)

        async def callback() -> AuthorizationCodeResult:
            answer = await asyncio.to_thread(answers.get, timeout=WITHIN_S)
            if "error" in answer:
                raise Refused(answer)
            return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])

        metadata = OAuthClientMetadata(
            client_name="Python stranger", redirect_uris=[redirect_uri], token_endpoint_auth_method="none"
        )
        return OAuthClientProvider(
            self.url, metadata, self.storage, redirect_handler=open_browser, callback_handler=callback
        )

    def _call(self, auth: OAuthClientProvider, tool: str, arguments: dict[str, str]) -> str:
        async def run() -> str:
            async with (
                httpx2.AsyncClient(auth=auth, timeout=WITHIN_S, trust_env=False) as http,
                Client(streamable_http_client(self.url, http_client=http), mode=self.mode) as client,
            ):
                result = await client.call_tool(tool, arguments)
                assert not result.is_error, result
                return result.content[0].text

        return asyncio.run(run())


def _only(error: BaseException) -> Refused:
    """Return the refusal inside of nested groups; raises what is there instead."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, Refused):
        raise error
    return error
