"""A line of the audit trail in words: what the token had, what was needed, what decides it, what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from service.auth.scopes import FIRST_SCOPES
from service.contract import Client, Contract
from service.settings import Settings
from service.telemetry.events import Event
from service.telemetry.reasons import REASONS, Reason, known

# What a logout token was refused for is the reason code; what to do about it does not depend on the code.
_LOGOUT_REFUSED = Reason(
    "A logout token was refused ({reason}), so no session ended.",
    "OpenID Connect Back-Channel Logout 1.0 section 2.6",
    "If Keycloak sent it, set the clocks, SECURE_MCP_ISSUER and the clients of access.yaml right; "
    "if not, somebody tried to end sessions from {address}.",
)
_LET_THROUGH = {Event.ACCESS_ALLOWED: "allowed", Event.SESSION_REVOKED: "taken: the session ended"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request was allowed or refused."""

    request_id: str
    time: str
    decision: str
    reason: str
    sentence: str
    decided_by: str
    fix: str


def explain(line: Mapping[str, Any], contract: Contract, issuer: str, audience: str) -> Explanation:
    """Explain a decision.

    Args:
        line: of the audit trail.
        contract: says who may ask for which scope.
        issuer: of this environment.
        audience: the canonical URL of the MCP server.
    """
    judged = line["event"] == Event.LOGOUT_REFUSED and line["reason"] not in {"malformed_form", "keys_unavailable"}
    reason = _LOGOUT_REFUSED if judged else REASONS[known(str(line["reason"]))]
    tool = line.get("tool")
    needed = list(line.get("scopes_asked", ()))
    facts = {
        "access_token_seconds": contract.lifetimes["access_token"],
        "address": line.get("client_address", "an unknown address"),
        "algorithms": ", ".join(Settings.model_fields["algorithms"].default),
        "audience": audience,
        "client": line.get("client", "the client"),
        "first_scopes": " ".join(FIRST_SCOPES),
        "held": " ".join(line.get("scopes_held", ())) or "no scope",
        "issuer": issuer,
        "needed": " ".join(needed),
        "reason": line["reason"],
        "tool": f"the tool {tool}" if tool else "a request that calls no tool",
        "who_may": _who_may(contract, str(line.get("client")), needed),
    }
    texts = [text.format_map(facts) for text in reason]
    decision = _LET_THROUGH.get(line["event"]) or f"refused with HTTP {line['status']} by the {line['layer']}"
    return Explanation(str(line["request_id"]), str(line["time"]), decision, str(line["reason"]), *texts)


def _who_may(contract: Contract, client_id: str, needed: Iterable[str]) -> str:
    """Say whether the client may ask for the scopes, and what to change where it may not."""
    client = contract.clients.get(client_id)
    missing = " ".join(scope for scope in needed if not _may_ask(client, contract, scope))
    if client is None:
        return f"{client_id} registered by itself and may ask for every scope that registration allows"
    if not missing:
        return f"access.yaml lets {client_id} ask for it"
    others = [name for name, other in contract.clients.items() if all(_may_ask(other, contract, s) for s in needed)]
    instead = f", or call as {others[0]}" if others else ""
    return f"{client_id} may not: add {missing} to its optional_scopes in access.yaml{instead}"


def _may_ask(client: Client | None, contract: Contract, scope: str) -> bool:
    return client is not None and scope in contract.expand({*client.default_scopes, *client.optional_scopes})
