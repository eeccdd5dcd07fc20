"""The audit trail: one line for every request that was allowed or refused, and for every session that ended.

Its schema is docs/audit-event.schema.json.

A line says who, by which client, which tool, which scopes were asked and held, and why. Never a token, an argument, a
path, or anything else that a caller wrote freely. No log level switches it off.
"""

import json
import time
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as _json
from typing import Any, Final

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
_texts: Final[dict[tuple[Any, ...], tuple[Caller | None, str]]] = {}
_Said = tuple[
    Any,
    int,
    Event,
    str,
    str,
    str | None,
    str,
    str,
    int | None,
    Demand | None,
    str | None,
    Caller | None,
    LogoutToken | None,
]
_encode: Final = json.JSONEncoder(ensure_ascii=True, check_circular=False).encode


class AuditTrail:
    """Writes the lines to every sink.

    Args:
        outlets: one for each sink.
    """

    def __init__(self, outlets: Sequence[Outlet[str]]) -> None:
        self.outlets = tuple(outlets)

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
            _line,
            time.time_ns(),
            event,
            state["request_id"],
            state.get("trace_id", ""),
            state.get("entrance"),
            scope["method"],
            reason,
            status,
            demand,
            state.get("address"),
            caller,
            ended,
        )
        for outlet in self.outlets:
            outlet.put(said)


def _line(said: _Said) -> str:
    _, at, event, request_id, trace_id, entrance, method, reason, status, demand, address, caller, ended = said
    # What one tool asks and what one caller holds is the same for many lines. A caller is found by its number: to hash
    # all that it is made of takes longer. It is kept, or its number might become another's.
    key = entrance, method, reason, status, demand, address, id(caller)
    known = _texts.get(key) if ended is None else None
    if known is None:
        known = caller, _what_text(entrance, method, reason, status, demand) + _who_text(address, caller, ended)
        if ended is None:
            if len(_texts) >= MAX_REMEMBERED:
                _texts.clear()
            _texts[key] = known
    # The ids have no character that JSON escapes. An event is a text, which the plus takes as it is.
    return (
        f'{{"time": "{time_text(at)}", "level": "info", "event": "'
        + event
        + f'", "request_id": "{request_id}", "trace_id": "{trace_id}", {known[1]}}}'
    )


def _what_text(entrance: str | None, method: str, reason: str, status: int | None, demand: Demand | None) -> str:
    """Return what was asked and why it was decided so, as members of a JSON object."""
    method, reason = method if method in METHODS else "OTHER", reason if reason in REASONS else "other"
    text = f'"layer": "service", "entrance": "{entrance or "other"}", "method": "{method}", "reason": "{reason}"'
    if status is not None:
        text += f', "status": {status}'
    if demand is not None:
        tool = "null" if demand.tool is None else _json(demand.tool)
        text += f', "tool": {tool}, "scopes_asked": {_encode(demand.scopes)}'
    return text


def _who_text(address: str | None, caller: Caller | None, ended: LogoutToken | None) -> str:
    """Return who asks, as further members."""
    text = _unless_none("client_address", address)
    if caller is not None:
        held = _encode(sorted(scope[:MAX_SCOPE_LENGTH] for scope in caller.token_scopes)[:MAX_SCOPES])
        text += f', "sub": {_json(caller.subject)}, "client": {_json(caller.client_id)}'
        text += f'{_unless_none("session", caller.session_id)}, "scopes_held": {held}'
    if ended is not None:
        text += _unless_none("sub", ended.subject) + _unless_none("session", ended.session_id)
    return text


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
