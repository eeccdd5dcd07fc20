"""A tool call as a client makes it: MCP over Streamable HTTP, or the REST view."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from ops.challenge import Challenge, parse_challenge
from ops.errors import OperatorError, findings, unreachable
from ops.trust import tls_context

PROTOCOLS = ("2026-07-28", "2025-11-25")
_META = "io.modelcontextprotocol/"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a result, a refusal, or an error of the tool or the protocol."""

    status: int
    result: Any = None
    error: str = ""
    challenge: Challenge | None = None


def call_tool(
    mcp_url: str, token: str | None, tool: str, arguments: dict[str, Any], protocol: str = PROTOCOLS[0]
) -> Answer:
    """Call a tool by JSON-RPC over POST (MCP, Streamable HTTP).

    Args:
        mcp_url: the endpoint.
        token: access token; None sends no credentials.
        tool: name of the tool.
        arguments: its arguments.
        protocol: revision of MCP, one of PROTOCOLS.
    """
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": protocol}
    if protocol >= "2026-07-28":  # each request stands alone and says in its headers what its body asks for
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        info = {"name": "secure-mcp", "version": "1"}
        params["_meta"] = {
            f"{_META}protocolVersion": protocol,
            f"{_META}clientInfo": info,
            f"{_META}clientCapabilities": {},
        }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    response = _post(mcp_url, token, body, headers)
    return _refused(response) or _of_rpc(response)


def call_rest(public_url: str, token: str | None, tool: str, arguments: dict[str, Any]) -> Answer:
    """Call a tool by the REST view; arguments as for `call_tool`."""
    response = _post(f"{public_url}/api/v1/tools/{quote(tool, safe='')}", token, arguments, {})
    if refused := _refused(response):
        return refused
    content = _json(response)
    if response.is_success:
        return Answer(response.status_code, result=content.get("result"))
    return Answer(response.status_code, error=str(content.get("error_description") or content.get("detail") or content))


def parse_arguments(pairs: list[str]) -> dict[str, Any]:
    """Read `key=text` and `key:=JSON`.

    Raises:
        OperatorError: a pair has neither form.
    """
    arguments: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.rstrip(":"):
            raise OperatorError(f"{pair!r} is no argument.", "Write key=text, or key:=JSON for anything but text.")
        try:
            arguments[key.rstrip(":")] = json.loads(value) if key.endswith(":") else value
        except ValueError as error:
            raise OperatorError(
                f"{value!r} is no JSON.", f"Write {key[:-1]}={value} if it is meant as text."
            ) from error
    return arguments


def _post(url: str, token: str | None, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    credentials = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return httpx.post(
            url, json=body, headers=headers | credentials, timeout=60, trust_env=False, verify=tls_context()
        )
    except httpx.TransportError as error:
        raise unreachable(f"{url} does not answer: {error}.", "Start the stack: make up") from error


def _refused(response: httpx.Response) -> Answer | None:
    status = response.status_code
    header = response.headers.get("WWW-Authenticate")
    if header:
        challenge = parse_challenge(status, header)
        description = challenge.description or str(_json(response).get("error_description", ""))
        return Answer(status, error=description or "credentials are needed", challenge=challenge)
    if status == httpx.codes.SERVICE_UNAVAILABLE:
        wait = response.headers.get("Retry-After", "some")
        raise unreachable(
            "The service cannot judge tokens now: it has no keys.", f"Try again in {wait} s; look: secure-mcp status"
        )
    return None


def _of_rpc(response: httpx.Response) -> Answer:
    message = _json(response)
    if "error" in message:
        error = message["error"]
        said = f"{error.get('message')} ({error.get('code')})" if isinstance(error, dict) else str(message)
        return Answer(response.status_code, error=said)
    result = message.get("result", {})
    texts = [part.get("text", "") for part in result.get("content", [])]
    if result.get("isError"):
        return Answer(response.status_code, error=" ".join(texts))
    structured = result.get("structuredContent")
    return Answer(response.status_code, result="\n".join(texts) if structured is None else structured)


def _json(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer, also from a stream of server-sent events that holds one."""
    text = response.text
    if response.headers.get("Content-Type", "").startswith("text/event-stream"):
        text = next((line[5:] for line in text.splitlines() if line.startswith("data:")), "")
    try:
        content: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise findings(
            f"The answer ({response.status_code}) is no JSON: {text[:200]!r}.", "Is another program on that port?"
        ) from error
    return content
