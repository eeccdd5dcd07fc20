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
MAX_REMEMBERED: Final = 2048
_Who = tuple[str, str, str | None, frozenset[str]]
_What = tuple[str, str, str, str | None, int | None, Demand | None, LogoutToken | None]
_encode: Final = json.JSONEncoder(ensure_ascii=True, check_circular=False).encode


class AuditTrail:
    """Writes the lines to every sink.

    Args:
        outlets: one for each sink.
    """

    def __init__(self, outlets: Sequence[Outlet[str]]) -> None:
        self.outlets = tuple(outlets)
        self._held: dict[frozenset[str], list[str]] = {}
        self._rest: dict[tuple[_Who | None, _What], str] = {}

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
        reason = reason if reason in REASONS else "other"
        count_decision("denied" if event in _DENIED else "allowed", reason, demand.tool if demand else None)
        # The ids have no character that JSON escapes.
        first = (
            f'"time": "{now_text()}", "level": "info", "event": "{event.value}", "request_id": "{state["request_id"]}"'
        )
        method = method if (method := scope["method"]) in METHODS else "OTHER"
        who = caller and (caller.subject, caller.client_id, caller.session_id, caller.token_scopes)
        what = (state.get("entrance", "other"), method, reason, state.get("address"), status, demand, ended)
        rest = self._rest.get((who, what))
        if rest is None:
            rest = self._remember((who, what))
        text = f'{{{first}, "trace_id": "{state.get("trace_id", "")}", {rest}'
        for outlet in self.outlets:
            outlet.put(text)

    def _remember(self, key: tuple[_Who | None, _What]) -> str:
        """Return what of a line is the same for a caller's calls of a tool; it comes again and again."""
        who, (entrance, method, reason, address, status, demand, ended) = key
        line: dict[str, Any] = {"layer": "service", "entrance": entrance, "method": method, "reason": reason}
        if address:
            line["client_address"] = address
        if status is not None:
            line["status"] = status
        if who is not None:
            line["sub"], line["client"] = who[:2]
            if who[2] is not None:
                line["session"] = who[2]
        if ended is not None:
            of_logout = {"sub": ended.subject, "session": ended.session_id}
            line |= {key: value for key, value in of_logout.items() if value is not None}
        if demand is not None:
            line["tool"], line["scopes_asked"] = demand.tool, demand.scopes
        if who is not None:
            line["scopes_held"] = self._scopes(who[3])
        if len(self._rest) >= MAX_REMEMBERED:
            self._rest.clear()
        rest = self._rest[key] = _encode(line)[1:]
        return rest

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
