"""A tool runs once for a call, however many ways the call is tried.

The short way (layer.py) knows success only. Where a call fails, or its result is not plain, the ordinary way tells it
in its own words: it takes the same call again, and finds here what the tool has returned or raised.
"""

import functools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from service.telemetry.traces import child_span, failed


class Attempt:
    """What came of running the tool, once it ran."""

    __slots__ = ("error", "ran", "value")

    def __init__(self) -> None:
        self.ran = False
        self.value: Any = None
        self.error: Exception | None = None


_attempt: Final[ContextVar[Attempt | None]] = ContextVar("secure_mcp_attempt", default=None)


@contextmanager
def attempting() -> Iterator[Attempt]:
    """Let the code inside, and tasks that it starts, run a tool at most once."""
    attempt = Attempt()
    token = _attempt.set(attempt)
    try:
        yield attempt
    finally:
        _attempt.reset(token)


def once(function: Callable[..., Awaitable[Any]], name: str = "") -> Callable[..., Awaitable[Any]]:
    """Return a function that looks like this one, and inside an attempt repeats what it returned or raised before.

    Each time that it runs is a span, where the request is traced.

    Args:
        function: of a tool.
        name: of the tool, where the function has another.
    """
    name = name or function.__name__
    span_name = f"execute_tool {name}"

    async def traced(*args: Any, **kwargs: Any) -> Any:
        with child_span(span_name, gen_ai__operation__name="execute_tool", gen_ai__tool__name=name) as span:
            try:
                return await function(*args, **kwargs)
            except Exception as error:
                failed(span, error)
                raise

    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        attempt = _attempt.get()
        if attempt is None:
            return await traced(*args, **kwargs)
        if not attempt.ran:
            attempt.ran = True
            token = _attempt.set(None)  # what the tool itself calls is no part of the attempt
            try:
                attempt.value = await traced(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - kept to be raised, here and each time again
                attempt.error = error
            finally:
                _attempt.reset(token)
        if attempt.error is not None:
            raise attempt.error
        return attempt.value

    return run
