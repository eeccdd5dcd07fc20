"""The official MCP Python client, in both protocol versions, with a token and as a stranger who has only the URL."""

import asyncio
from collections.abc import Callable

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.support.browser import Browser
from tests.support.client import TRUST
from tests.support.http import HANDSHAKE, MODERN
from tests.support.login import CLI_REDIRECT, Person
from tests.support.oauth import ISSUED, claims_of
from tests.support.realm import Stack

VERSIONS = pytest.mark.parametrize(("mode", "version"), [(MODERN, MODERN), ("auto", MODERN), ("legacy", HANDSHAKE)])


def with_client(stack: Stack, mode: str, auth: httpx2.Auth | str, talk: Callable) -> object:
    """Connect, run `talk(client)` and return its result."""

    async def run() -> object:
        headers = {"Authorization": f"Bearer {auth}"} if isinstance(auth, str) else {}
        async with (
            httpx2.AsyncClient(
                verify=TRUST, headers=headers, auth=None if isinstance(auth, str) else auth, timeout=60
            ) as http,
            Client(streamable_http_client(stack.mcp_url, http_client=http), mode=mode) as client,
        ):
            return await talk(client)

    return asyncio.run(run())


@VERSIONS
@pytest.mark.requirement("MCP-CLIENTS", "MCP-R23")
def test_it_lists_and_calls_the_tools(stack: Stack, automation_token: str, mode: str, version: str) -> None:
    async def talk(client: Client) -> None:
        assert client.protocol_version == version
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == {"echo", "timestamp", "calculate"}
        echoed = await client.call_tool("echo", {"text": "hello"})
        assert (echoed.is_error, echoed.content[0].text) == (False, "hello")
        computed = await client.call_tool("calculate", {"expression": "6 * 7"})
        assert float(computed.content[0].text) == 42

    with_client(stack, mode, automation_token, talk)


@VERSIONS
@pytest.mark.requirement("MCP-R29")
def test_it_is_shown_what_it_may_call(stack: Stack, reader_token: str, mode: str, version: str) -> None:
    async def talk(client: Client) -> set[str]:
        listed = await client.list_tools()
        if version == MODERN:
            assert listed.cache_scope == "private", "a shared cache would show one caller's tools to another"
        return {tool.name for tool in listed.tools}

    assert with_client(stack, mode, reader_token, talk) == {"echo", "timestamp"}


class Storage:
    """What a desktop client keeps: tokens, and the client that was registered for it beforehand."""

    def __init__(self, issuer: str) -> None:
        self.tokens: OAuthToken | None = None
        self.client = OAuthClientInformationFull(
            client_id="mcp-cli", redirect_uris=[CLI_REDIRECT], token_endpoint_auth_method="none", issuer=issuer
        )

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens
        ISSUED.add(tokens.access_token)

    async def get_client_info(self) -> OAuthClientInformationFull:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Desktop:
    """A person at a desktop client: the client opens the browser, the person logs in and consents."""

    def __init__(self, stack: Stack, person: Person, browser: Browser) -> None:
        self.person = person
        self.browser = browser
        self.storage = Storage(stack.issuer)
        self.asked: list[str] = []
        self.answer: dict[str, str] = {}
        self.auth = OAuthClientProvider(
            stack.mcp_url,
            OAuthClientMetadata(redirect_uris=[CLI_REDIRECT], token_endpoint_auth_method="none"),
            self.storage,
            redirect_handler=self.open_browser,
            callback_handler=self.callback,
        )

    async def open_browser(self, url: str) -> None:
        page = await asyncio.to_thread(self.browser.open, url)
        self.asked.append(str(httpx2.URL(url).params["scope"]))
        if page.form("password"):
            page = await asyncio.to_thread(self.browser.log_in, page, self.person.username, self.person.password)
        if page.form("accept"):
            page = await asyncio.to_thread(self.browser.answer_consent, page)
        self.answer = page.answer

    async def callback(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=self.answer["code"], state=self.answer["state"], iss=self.answer["iss"])


@pytest.mark.requirement("MCP-CLIENTS", "MCP-R2", "MCP-R3", "MCP-R16", "MCP-R17", "MCP-A2")
@pytest.mark.parametrize("mode", [MODERN, "legacy"])
def test_a_person_with_only_the_url_gets_in_and_steps_up(
    stack: Stack, person: Person, browser: Browser, mode: str
) -> None:
    """401, metadata, authorization server, browser login, consent, token, call; then 403, consent for more, call."""
    desktop = Desktop(stack, person, browser)

    async def talk(client: Client) -> None:
        assert (await client.call_tool("echo", {"text": "hello"})).content[0].text == "hello"
        assert mcp_scopes(claims_of(desktop.storage.tokens.access_token)["scope"]) == {"mcp:read"}
        assert float((await client.call_tool("calculate", {"expression": "6 * 7"})).content[0].text) == 42

    with_client(stack, mode, desktop.auth, talk)
    assert [mcp_scopes(scope) for scope in desktop.asked] == [{"mcp:read"}, {"mcp:read", "mcp:write"}]


def mcp_scopes(scope: str) -> set[str]:
    """Leave out what the client asks for besides, such as offline_access."""
    return {name for name in scope.split() if name.startswith("mcp:")}


@pytest.mark.requirement("MCP-CLIENTS", "MCP-R12")
def test_a_bad_token_ends_the_connection(stack: Stack) -> None:
    async def talk(client: Client) -> None:
        await client.list_tools()

    with pytest.raises(BaseExceptionGroup) as caught:
        with_client(stack, "auto", "x.y.z", talk)
    assert caught.group_contains(MCPError, depth=None)
