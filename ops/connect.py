"""The command `secure-mcp connect`: the exact configuration of a known client for the running stack."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import httpx
import typer

from ops.clients import KnownClient, known_clients, placeholders
from ops.containers.environment import StackEnvironment, find_environment
from ops.environment import Environment
from ops.errors import OperatorError, findings, unreachable
from ops.output import short, show, show_json
from ops.trust import tls_context
from service.contract import load_contract

CLIENT = "mcp-cli"
NODE_CLIENTS = frozenset({"claude-code", "claude-desktop", "inspector", "mcp-remote"})
_HELP = f"""Print what to paste into an MCP client to connect it with the running stack.

Clients: {", ".join(known_clients())}.

\b
Examples:
  secure-mcp connect claude-code
  secure-mcp connect vscode --json
  secure-mcp connect cursor --url https://mcp.example.org/mcp
"""


def connect(
    client: Annotated[str, typer.Argument(help="Which client, see above.", show_default=False)],
    url: Annotated[str | None, typer.Option(help="MCP endpoint of another deployment of this repository.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print what to paste into an MCP client; the text of --help is `_HELP`."""
    clients = known_clients()
    if client not in clients:
        raise OperatorError(f"{client!r} is no client known here.", f"Write one of: {', '.join(clients)}.")
    environment = None if url else find_environment()
    endpoint = _live_resource(url or _url_of(environment))
    contract = load_contract()
    command = short(Path(sys.argv[0]).absolute())
    values = placeholders(endpoint, CLIENT, contract.clients[CLIENT].optional_scopes, command)
    filled = clients[client].filled(values)
    trust = _trust(environment, client)
    if as_json:
        show_json({"url": endpoint, "client_id": CLIENT, **asdict(filled), "trust": trust})
    else:
        _show(filled, trust)


connect.__doc__ = _HELP


def _url_of(environment: Environment | None) -> str:
    return environment.mcp_url if environment else ""


def _live_resource(url: str) -> str:
    """Ask the server itself what it is called (RFC 9728 section 3): a client compares that with the URL it was given.

    Raises:
        OperatorError: it is no URL, nothing answers, or what answers is called otherwise.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OperatorError(f"{url!r} is no URL.", "Write one such as https://mcp.example.org/mcp.")
    metadata = urlunsplit(
        parts._replace(path=f"/.well-known/oauth-protected-resource{parts.path}", query="", fragment="")
    )
    try:
        answer = httpx.get(metadata, timeout=10, trust_env=False, verify=tls_context())
        resource = str(answer.raise_for_status().json()["resource"])
    except httpx.TransportError as error:
        raise unreachable(f"{metadata} does not answer: {error}.", "Start the stack: make up") from error
    except (httpx.HTTPStatusError, ValueError, KeyError, TypeError) as error:
        raise findings(f"{metadata} is no protected resource metadata.", "Is another program on that port?") from error
    if resource != url:
        raise findings(f"The server at {url} calls itself {resource}.", f"Connect with that URL: --url {resource}")
    return resource


def _trust(environment: Environment | None, client: str) -> str | None:
    """Return how the client comes to trust the environment's own authority, where it has one."""
    if not isinstance(environment, StackEnvironment) or not environment.authority.is_file():
        return None
    path = environment.authority
    if client in NODE_CLIENTS:
        return f"Its certificate is of this environment's own authority: set NODE_EXTRA_CA_CERTS={path} for the client."
    return f"Its certificate is of this environment's own authority: add {path} to the system's trusted authorities."


def _show(client: KnownClient, trust: str | None) -> None:
    show(f"{client.name} (tried: {client.tried})")
    for snippet in client.snippets:
        show()
        show(f"{snippet.where}:")
        show()
        for line in snippet.text.rstrip().splitlines():
            show(f"    {line}".rstrip())
    if trust:
        show()
        show(trust)
    show()
    show("If it is refused:")
    for refusal in client.refusals:
        show(f"  {refusal.symptom}")
        show(f"    why:  {refusal.cause}")
        show(f"    do:   {refusal.fix}")
