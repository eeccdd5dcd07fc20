"""Who calls, for whoever needs to know: tools, REST routes, log lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from service.auth.token import Caller


@dataclass(frozen=True, slots=True)
class Permit:
    """What the guard has let through: this caller, and this tool or none."""

    caller: Caller
    tool: str | None


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


@contextmanager
def permitted(permit: Permit) -> Iterator[None]:
    """Make a permit the current one for the code inside, and for tasks that it starts."""
    token = _permit.set(permit)
    try:
        yield
    finally:
        _permit.reset(token)
