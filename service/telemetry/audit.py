"""The audit trail: one line for every request that was allowed or refused, and for every session that ended.

Its schema is docs/audit-event.schema.json.

A line says who, by which client, which tool, which scopes were asked and held, and why. Never a token, an argument, a
path, or anything else that a caller wrote freely. No log level switches it off.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from starlette.types import Scope

from service.auth.logout import LogoutToken
from service.auth.scopes import Demand
from service.auth.token import Caller
from service.telemetry.clock import now_text
from service.telemetry.correlation import METHODS
from service.telemetry.events import Event
from service.telemetry.metrics import count_decision
from service.telemetry.outlet import Outlet
from service.telemetry.reasons import REASONS
from service.telemetry.stdout import STDOUT

MAX_SCOPES: Final = 32
MAX_SCOPE_LENGTH: Final = 64
# How the metrics count a line: who was refused, and everything else.
_DENIED: Final = frozenset({Event.ACCESS_DENIED, Event.LOGOUT_REFUSED})
_encode: Final = json.JSONEncoder(ensure_ascii=True, check_circular=False).encode


class AuditTrail:
    """Writes the lines to every sink.

    Args:
        outlets: one for each sink.
    """

    def __init__(self, outlets: Sequence[Outlet[str]]) -> None:
        self.outlets = tuple(outlets)
        self._held: dict[frozenset[str], list[str]] = {}

    def record(
        self,
        scope: Scope,
        event: Event,
        reason: str,
        *,
        status: int | None = None,
        caller: Caller | None = None,
        demand: Demand | None = None,
        ended: LogoutToken | None = None,
    ) -> None:
        """Write the line of one decision.

        Args:
            scope: the ASGI scope; its state has the ids that `Correlation` put there.
            event: `access_allowed` or `access_denied`; of a logout `session_revoked` or `logout_refused`.
            reason: a key of `REASONS`.
            status: HTTP status of a refusal.
            caller: who calls, when that is known.
            demand: what the call needs, when that is known.
            ended: what a valid logout token ends.
        """
        state = scope["state"]
        line: dict[str, Any] = {
            "time": now_text(),
            "level": "info",
            "event": event.value,
            "request_id": state["request_id"],
            "trace_id": state.get("trace_id", ""),
            "layer": "service",
            "entrance": state.get("entrance", "other"),
            "method": method if (method := scope["method"]) in METHODS else "OTHER",
            "reason": reason if reason in REASONS else "other",
        }
        if found := state.get("address"):
            line["client_address"] = found
        count_decision("denied" if event in _DENIED else "allowed", line["reason"], demand.tool if demand else None)
        if status is not None:
            line["status"] = status
        if caller is not None:
            line["sub"], line["client"] = caller.subject, caller.client_id
            if caller.session_id is not None:
                line["session"] = caller.session_id
        if ended is not None:
            of_logout = {"sub": ended.subject, "session": ended.session_id}
            line |= {key: value for key, value in of_logout.items() if value is not None}
        if demand is not None:
            line["tool"], line["scopes_asked"] = demand.tool, demand.scopes
        if caller is not None:
            line["scopes_held"] = self._scopes(caller.token_scopes)
        text = _encode(line)
        for outlet in self.outlets:
            outlet.put(text)

    def _scopes(self, held: frozenset[str]) -> list[str]:
        """Return scopes for the line: sorted and bounded. The same few sets come again and again."""
        found = self._held.get(held)
        if found is None:
            found = sorted(scope[:MAX_SCOPE_LENGTH] for scope in held)[:MAX_SCOPES]
            if len(self._held) < 256:
                self._held[held] = found
        return found


_trail = AuditTrail([STDOUT])


def configure_audit(outlets: Sequence[Outlet[str]]) -> None:
    """Let the audit trail of this process go to these sinks, each with a queue and a thread of its own."""
    global _trail
    _trail = AuditTrail(outlets)


def trail() -> AuditTrail:
    """Return the audit trail of this process; on standard output unless it was configured otherwise."""
    return _trail
