"""The audit trail: one line for every request that was allowed or refused, and for every session that ended.

Its schema is docs/audit-event.schema.json.

A line says who, by which client, which tool, which scopes were asked and held, and why. Never a token, an argument, a
path, or anything else that a caller wrote freely. No log level switches it off.
"""

import json
import time
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as _json
from typing import Final

from starlette.types import Scope

from service.auth.logout import LogoutToken
from service.auth.scopes import Demand
from service.auth.token import Caller
from service.telemetry.clock import time_text
from service.telemetry.correlation import METHODS
from service.telemetry.counts import count_decision
from service.telemetry.events import Event
from service.telemetry.outlet import Outlet
from service.telemetry.reasons import REASONS
from service.telemetry.stdout import STDOUT

MAX_SCOPES: Final = 32
MAX_SCOPE_LENGTH: Final = 64
# To ask an enumeration for a member takes as long as to count.
_ALLOWED: Final = Event.ACCESS_ALLOWED
_REVOKED: Final = Event.SESSION_REVOKED
MAX_REMEMBERED: Final = 2048
_Who = tuple[str, str, str | None, frozenset[str]]
_What = tuple[str | None, str, str, str | None, int | None, Demand | None, LogoutToken | None]
_Key = tuple[_What, _Who | None]
_encode: Final = json.JSONEncoder(ensure_ascii=True, check_circular=False).encode


class AuditTrail:
    """Writes the lines to every sink.

    Args:
        outlets: one for each sink.
    """

    def __init__(self, outlets: Sequence[Outlet[str]]) -> None:
        self.outlets = tuple(outlets)
        self._held: dict[frozenset[str], str] = {}
        self._rest: dict[_Key, str] = {}

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
        count_decision(event is not _ALLOWED and event is not _REVOKED, reason, demand.tool if demand else None)
        said = (
            self._line,
            time.time_ns(),
            event,
            state["request_id"],
            state.get("trace_id", ""),
            (state.get("entrance"), scope["method"], reason, state.get("address"), status, demand, ended),
            caller,
        )
        for outlet in self.outlets:
            outlet.put(said)

    def _line(self, at: int, event: Event, request_id: str, trace_id: str, what: _What, caller: Caller | None) -> str:
        key = what, caller and (caller.subject, caller.client_id, caller.session_id, caller.token_scopes)
        rest = self._rest.get(key)
        if rest is None:
            rest = self._remember(key)
        # The ids have no character that JSON escapes. An event is a text, which the plus takes as it is.
        return (
            f'{{"time": "{time_text(at)}", "level": "info", "event": "'
            + event
            + (f'", "request_id": "{request_id}", "trace_id": "{trace_id}", {rest}}}')
        )

    def _remember(self, key: _Key) -> str:
        """Return what of a line is the same for a caller's calls of a tool, as members of a JSON object."""
        (entrance, method, reason, address, status, demand, ended), who = key
        entrance, method = entrance or "other", method if method in METHODS else "OTHER"
        reason = reason if reason in REASONS else "other"
        line = f'"layer": "service", "entrance": "{entrance}", "method": "{method}", "reason": "{reason}"'
        if address:
            line += f', "client_address": {_json(address)}'
        if status is not None:
            line += f', "status": {status}'
        if who is not None:
            line += f', "sub": {_json(who[0])}, "client": {_json(who[1])}{_unless_none("session", who[2])}'
        if ended is not None:
            line += _unless_none("sub", ended.subject) + _unless_none("session", ended.session_id)
        if demand is not None:
            tool = "null" if demand.tool is None else _json(demand.tool)
            line += f', "tool": {tool}, "scopes_asked": {_encode(demand.scopes)}'
        if who is not None:
            line += f', "scopes_held": {self._scopes(who[3])}'
        if len(self._rest) >= MAX_REMEMBERED:
            del self._rest[next(iter(self._rest))]
        self._rest[key] = line
        return line

    def _scopes(self, held: frozenset[str]) -> str:
        """Return scopes for the line: sorted and bounded. The same few sets come again and again."""
        found = self._held.get(held)
        if found is None:
            found = _encode(sorted(scope[:MAX_SCOPE_LENGTH] for scope in held)[:MAX_SCOPES])
            if len(self._held) < 256:
                self._held[held] = found
        return found


def _unless_none(key: str, text: str | None) -> str:
    return "" if text is None else f', "{key}": {_json(text)}'


_trail = AuditTrail([STDOUT])


def configure_audit(outlets: Sequence[Outlet[str]]) -> None:
    """Let the audit trail of this process go to these sinks, each with a queue and a thread of its own."""
    global _trail
    _trail = AuditTrail(outlets)


def trail() -> AuditTrail:
    """Return the audit trail of this process; on standard output unless it was configured otherwise."""
    return _trail
