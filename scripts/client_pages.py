"""The generated part of docs/clients.md: what `secure-mcp connect` prints, for the addresses of `make up`."""

from ops.clients import KnownClient, known_clients, placeholders
from ops.connect import CLIENT
from service.contract import load_contract

URL = "http://localhost:8000/mcp"
COMMAND = ".venv/bin/secure-mcp"


def mcp_clients() -> str:
    """Return a section for each known client."""
    values = placeholders(URL, CLIENT, load_contract().clients[CLIENT].optional_scopes, COMMAND)
    return "\n".join(_section(client.filled(values)) for client in known_clients().values())


def _section(client: KnownClient) -> str:
    lines = [f"### {client.name}", "", f"    {COMMAND} connect {client.key}", ""]
    lines += [f"Tried: {client.tried}. The login comes back to `{client.redirect_uri}`.", ""]
    for snippet in client.snippets:
        lines += [f"{snippet.where}:", "", f"```{snippet.language}", *snippet.text.rstrip().splitlines(), "```", ""]
    lines += ["| you see | because | do |", "| --- | --- | --- |"]
    lines += [f"| {refusal.symptom} | {refusal.cause} | {refusal.fix} |" for refusal in client.refusals]
    return "\n".join([*lines, ""])
