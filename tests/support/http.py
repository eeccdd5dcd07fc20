"""What the tests say to the service and how they read its answers: JSON-RPC over HTTP and the Bearer challenge."""

import re
import secrets
from typing import Any

import httpx

from ops.service import ServiceProcess
from tests.support import client

MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"

_PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def challenge(response: httpx.Response) -> dict[str, str]:
    """Return the parameters of the one Bearer challenge of an answer (RFC 6750 section 3)."""
    values = response.headers.get_list("www-authenticate")
    assert len(values) == 1, f"expected one WWW-Authenticate, got {values} with status {response.status_code}"
    scheme, _, rest = values[0].partition(" ")
    assert scheme == "Bearer", values[0]
    assert _PARAMETER.sub("", rest).replace(",", "").strip() == "", f'not name="value" pairs: {values[0]}'
    return dict(_PARAMETER.findall(rest))


def bearer(token: str) -> dict[str, str]:
    """Return the Authorization header (RFC 6750 section 2.1)."""
    return {"Authorization": f"Bearer {token}"}


class Mcp:
    """Speaks MCP to one URL without a client library, so that every header and byte is the test's own choice."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        version: str = MODERN,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send one JSON-RPC request as a client of that protocol version would.

        Args:
            headers: added to, or in place of, those that the version asks for; an empty value takes one away.
        """
        body, own = message(method, params, version)
        own |= bearer(token) if token else {}
        own |= headers or {}
        return self.send(body, {name: value for name, value in own.items() if value})

    def call(self, tool: str, arguments: dict[str, Any], **how: Any) -> httpx.Response:
        """Call a tool; `how` as in `request`."""
        return self.request("tools/call", {"name": tool, "arguments": arguments}, **how)

    def send(self, body: Any, headers: dict[str, str]) -> httpx.Response:
        """Send a body as it is: bytes, or anything that JSON can hold."""
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return client.post(self.url, headers={"Content-Type": "application/json"} | headers, **content)


def message(
    method: str, params: dict[str, Any] | None = None, version: str = MODERN
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body and the headers of a request in a protocol version (MCP Streamable HTTP, standard headers)."""
    params = dict(params or {})
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": version}
    if version == MODERN:
        headers["Mcp-Method"] = method
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return {"jsonrpc": "2.0", "id": secrets.randbelow(1 << 30), "method": method, "params": params}, headers


def text_of(response: httpx.Response) -> str:
    """Return the text that a tool answered with; the test fails on any error."""
    assert response.status_code == 200, f"{response.status_code} {response.headers} {response.text}"
    result = response.json()["result"]
    assert not result.get("isError"), result
    return result["content"][0]["text"]


class Service:
    """The service by both of its entrances: MCP and the REST view."""

    def __init__(self, public_url: str, process: ServiceProcess | None = None) -> None:
        self.url = public_url
        self.process = process
        self.mcp = Mcp(f"{public_url}/mcp")

    def use(
        self,
        tool: str,
        arguments: dict[str, Any],
        token: str | None = None,
        *,
        entrance: str = "mcp",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Call a tool through `mcp` or `rest`."""
        if entrance == "mcp":
            return self.mcp.call(tool, arguments, token=token, headers=headers)
        own = (bearer(token) if token else {}) | (headers or {})
        return client.post(f"{self.url}/api/v1/tools/{tool}", json=arguments, headers=own)

    def get(self, path: str, token: str | None = None, headers: dict[str, str] | None = None) -> httpx.Response:
        """Get a path."""
        return client.get(f"{self.url}{path}", headers=(bearer(token) if token else {}) | (headers or {}))
