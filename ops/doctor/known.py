"""Problems that people met with real clients, told by their symptom here. The numbers are those of public issues."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ops.doctor.chain import Chain


@dataclass(frozen=True, slots=True)
class Known:
    """A known problem.

    Args:
        issue: owner/repository#number.
        client: who meets it.
        symptom: what the user sees, and the way out.
        here: whether this server will show it.
    """

    issue: str
    client: str
    symptom: str
    here: Callable[[Chain], bool]


def _facts(*names: str) -> Callable[[Chain], bool]:
    return lambda chain: set(names) <= chain.facts


_CIMD = _facts("client id metadata documents")

KNOWN: Final = (
    Known(
        "modelcontextprotocol/inspector#2296",
        "MCP Inspector",
        "finds no authorization server: it tries the path-inserted URL only. Route it to Keycloak.",
        _facts("no path insertion"),
    ),
    Known(
        "modelcontextprotocol/inspector",
        "MCP Inspector v2",
        "refuses resource metadata without `resource`.",
        _facts("metadata without resource"),
    ),
    Known(
        "modelcontextprotocol/python-sdk#3103",
        "servers made with the Python SDK",
        "challenges name no scope, so clients cannot ask for the right one. Put a guard in front that adds it.",
        _facts("challenge without scope"),
    ),
    Known(
        "keycloak/keycloak#42339",
        "clients that register themselves",
        "Keycloak answers `Not permitted to use specified clientScope` because the resource asks for openid. "
        "List openid in the policy Allowed Client Scopes, or do not ask for it.",
        _facts("openid refused at registration"),
    ),
    Known(
        "keycloak/keycloak#8863",
        "clients in a browser, such as the Inspector",
        "registration fails with a CORS error. Add their origin to the registration policy for web origins.",
        _facts("no registration from a browser"),
    ),
    Known(
        "turnstonelabs/turnstone#1082",
        "clients that send `resource` at registration",
        "Keycloak answers 400 Unrecognized field. Register such a client beforehand.",
        _facts("unknown members refused at registration"),
    ),
    Known(
        "keycloak/keycloak#50362, anthropics/claude-ai-mcp#487",
        "Claude with a client id metadata document",
        "Keycloak before 26.8 refuses its document (jwt-bearer grant). Register the client beforehand, or use 26.8.",
        _CIMD,
    ),
    Known(
        "keycloak/keycloak#51039",
        "ChatGPT with a client id metadata document",
        "`Client Metadata fetch failed`: Keycloak refuses members it does not know. Register the client beforehand.",
        _CIMD,
    ),
    Known(
        "microsoft/vscode#282472",
        "VS Code",
        "does not use client id metadata documents and cannot register here. Give it a client id; its redirect URIs "
        "are http://127.0.0.1:33418 and https://vscode.dev/redirect.",
        _facts("client id metadata documents", "registration closed"),
    ),
    Known(
        "anthropics/claude-code#41610, evoila/meho#912",
        "Claude Code and others",
        "ask for offline_access because the realm announces it; Keycloak answers invalid_scope to a client that may "
        "not have it. Assign it as an optional scope, or take it out of the metadata.",
        _facts("offline_access announced"),
    ),
    Known(
        "anthropics/claude-code#73712",
        "Claude Code",
        "reports `token expired` where a scope is missing (403). Let it ask for all scopes at the first login.",
        _facts("step-up needed"),
    ),
    Known(
        "punkpeye/mcp-remote#204",
        "mcp-remote",
        "asks for openid, email and profile whatever the metadata says; Keycloak answers invalid_scope where the realm "
        "lacks one. Keep these client scopes optional for its client.",
        _facts("no profile scopes"),
    ),
    Known(
        "openai/codex#15643, openai/codex#23242",
        "Codex",
        "registers with fewer scopes than it asks for at login: Keycloak answers invalid_scope. Register it by hand.",
        lambda chain: "registration endpoint" in chain.facts and "registration closed" not in chain.facts,
    ),
)


def recognised(chain: Chain) -> list[Known]:
    """Return the known problems whose symptom is seen here."""
    return [known for known in KNOWN if known.here(chain)]
