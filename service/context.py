"""Who calls, for whoever needs to know: tools, REST routes, log lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from service.auth.token import Caller

if TYPE_CHECKING:
    from service.downstream import Delegation


@dataclass(frozen=True, slots=True)
class Permit:
    """What the guard has let through: this caller, and this tool or none."""

    caller: Caller
    tool: str | None
    delegation: "Delegation | None" = None
    """What the tool gets tokens for other APIs from; None where the service exchanges none."""


_permit: Final[ContextVar[Permit | None]] = ContextVar("secure_mcp_permit", default=None)


def current_permit() -> Permit:
    """Return what the guard has let through.

    Raises:
        LookupError: this code does not run inside a request that passed the guard.
    """
    permit = _permit.get()
    if permit is None:
        raise LookupError("no caller: this code runs outside a request that passed the guard")
    return permit


def current_caller() -> Caller:
    """Return who calls: user (`subject`, `username`, roles) and client (`client_id`, scopes).

    For tools and whatever they call.

    Raises:
        LookupError: this code does not run inside a request that passed the guard.
    """
    return current_permit().caller


def current_delegation() -> "Delegation":
    """Return what gives a tool tokens for other APIs on behalf of who calls: `await current_delegation().token(api)`.

    Raises:
        LookupError: this code does not run inside a call of a tool, or the service has no secret to exchange with.
    """
    delegation = current_permit().delegation
    if delegation is None:
        raise LookupError("no token exchange: set SECURE_MCP_CLIENT_SECRET, and ask inside a call of a tool")
    return delegation


@contextmanager
def permitted(permit: Permit) -> Iterator[None]:
    """Make a permit the current one for the code inside, and for tasks that it starts."""
    token = _permit.set(permit)
    try:
        yield
    finally:
        _permit.reset(token)
