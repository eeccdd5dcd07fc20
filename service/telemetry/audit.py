"""The audit trail: one line for every request that was allowed or refused, and for every session that ended.

Its schema is docs/audit-event.schema.json.

A line says who, by which client, which tool, which scopes were asked and held, and why. Never a token, an argument, a
path, or anything else that a caller wrote freely. No log level switches it off.
"""

import json
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as _json
from time import time_ns
from typing import Any, Final

from starlette.types import Scope

from service.auth.logout import LogoutToken
from service.auth.scopes import Demand
from service.auth.token import Caller
from service.telemetry.clock import time_text
from service.telemetry.counts import METHODS, Decided, note_decision
from service.telemetry.events import Event
from service.telemetry.outlet import Outlet
from service.telemetry.reasons import REASONS
from service.telemetry.stdout import STDOUT

MAX_SCOPES: Final = 32
MAX_SCOPE_LENGTH: Final = 64
MAX_REMEMBERED: Final = 2048
_texts: Final[dict[tuple[Any, ...], tuple[Caller | None, str]]] = {}
_encode: Final = json.JSONEncoder(ensure_ascii=True, check_circular=False).encode


def record(
    scope: Scope,
    event: Event,
    reason: str,
    status: int | None = None,
    caller: Caller | None = None,
    demand: Demand | None = None,
    ended: LogoutToken | None = None,
) -> None:
    """Write the line of one decision to every sink.

    Args:
        scope: the ASGI scope; its state has what `Correlation` put there.
        event: `access_allowed` or `access_denied`; of a logout `session_revoked` or `logout_refused`.
        reason: a key of `REASONS`.
        status: HTTP status of a refusal.
        caller: who calls, when that is known.
        demand: what the call needs, when that is known.
        ended: what a valid logout token ends.
    """
    said: Decided = (
        _line,
        time_ns(),
        event,
        scope["state"]["asked"],
        scope["method"],
        reason,
        status,
        caller,
        demand,
        ended,
    )
    note_decision(said)
    for outlet in _outlets:
        outlet.put(said)


def _line(said: Decided) -> str:
    _, at, event, (request_id, trace_id, entrance, address), method, reason, status, caller, demand, ended = said
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


def _what_text(entrance: str, method: str, reason: str, status: int | None, demand: Demand | None) -> str:
    """Return what was asked and why it was decided so, as members of a JSON object."""
    method, reason = method if method in METHODS else "OTHER", reason if reason in REASONS else "other"
    text = f'"layer": "service", "entrance": "{entrance}", "method": "{method}", "reason": "{reason}"'
    if status is not None:
        text += f', "status": {status}'
    if demand is not None:
        tool = "null" if demand.tool is None else _json(demand.tool)
        text += f', "tool": {tool}, "scopes_asked": {_encode(demand.scopes)}'
    return text


def _who_text(address: str, caller: Caller | None, ended: LogoutToken | None) -> str:
    """Return who asks, as further members."""
    text = f', "client_address": {_json(address)}'
    if caller is not None:
        held = _encode(sorted(scope[:MAX_SCOPE_LENGTH] for scope in caller.token_scopes)[:MAX_SCOPES])
        text += f', "sub": {_json(caller.subject)}, "client": {_json(caller.client_id)}'
        text += f'{_unless_none("session", caller.session_id)}, "scopes_held": {held}'
    if ended is not None:
        text += _unless_none("sub", ended.subject) + _unless_none("session", ended.session_id)
    return text


def _unless_none(key: str, text: str | None) -> str:
    return "" if text is None else f', "{key}": {_json(text)}'


_outlets: tuple[Outlet[str], ...] = (STDOUT,)


def configure_audit(outlets: Sequence[Outlet[str]]) -> None:
    """Let the audit trail of this process go to these sinks, each with a queue and a thread of its own."""
    global _outlets
    _outlets = tuple(outlets)


def sinks() -> tuple[Outlet[str], ...]:
    """Return where the audit trail of this process goes; to standard output unless it was configured otherwise."""
    return _outlets
