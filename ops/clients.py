"""The MCP clients that are known by name: what each must be given to connect, and what each is refused and why."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml

DATA = Path(__file__).with_name("clients.yaml")
SERVER_NAME = "secure-mcp"
CALLBACK_PORT = 3334  # what mcp-remote takes by itself; said, so that two configurations do not differ


@dataclass(frozen=True, slots=True)
class Snippet:
    """Something to paste.

    Args:
        where: where it belongs.
        language: `sh`, `json`, `toml` or `yaml`.
        text: with placeholders as in clients.yaml, or without them after `filled`.
    """

    where: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A way in which the client is known to be turned away, and the way out."""

    symptom: str
    cause: str
    fix: str


@dataclass(frozen=True, slots=True)
class KnownClient:
    """One client.

    Args:
        key: the word that `secure-mcp connect` takes.
        name: its name.
        tried: what was really run.
        redirect_uri: where it takes the answer of a login, as the contract must name it.
    """

    key: str
    name: str
    tried: str
    redirect_uri: str
    snippets: tuple[Snippet, ...]
    refusals: tuple[Refusal, ...]

    def filled(self, values: Mapping[str, str]) -> "KnownClient":
        """Return this client with the placeholders filled in.

        Raises:
            KeyError: the data names a placeholder that has no value.
        """

        def fill(text: str) -> str:
            return Template(text).substitute(values)

        snippets = tuple(Snippet(fill(one.where), one.language, fill(one.text)) for one in self.snippets)
        refusals = tuple(Refusal(fill(one.symptom), fill(one.cause), fill(one.fix)) for one in self.refusals)
        return KnownClient(self.key, self.name, self.tried, self.redirect_uri, snippets, refusals)


def known_clients() -> dict[str, KnownClient]:
    """Read clients.yaml: the clients by the word that the command takes, in the order of the documentation."""
    data = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return {
        key: KnownClient(
            key,
            entry["name"],
            entry["tried"],
            entry["redirect_uri"],
            tuple(Snippet(**snippet) for snippet in entry["snippets"]),
            tuple(Refusal(**refusal) for refusal in entry["refusals"]),
        )
        for key, entry in data.items()
    }


def placeholders(url: str, client_id: str, scopes: Iterable[str], command: str) -> dict[str, str]:
    """Return the values of the placeholders.

    Args:
        url: canonical URL of the MCP server.
        client_id: a pre-registered public client.
        scopes: what it may ask for.
        command: how `secure-mcp` is run here.
    """
    names = list(scopes)
    return {
        "name": SERVER_NAME,
        "url": url,
        "client_id": client_id,
        "scopes": " ".join(names),
        "comma_scopes": ",".join(names),
        "scope_list": json.dumps(names),
        "port": str(CALLBACK_PORT),
        "command": command,
    }
