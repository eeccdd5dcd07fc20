"""The time as every line of the log and of the audit trail has it."""

import time

_MILLION = 1_000_000
_second = (0, "")


def now_text() -> str:
    """Return the time now (RFC 3339, UTC, microseconds)."""
    return time_text(time.time_ns())


def time_text(nanoseconds: int) -> str:
    """Return a time as text (RFC 3339, UTC, microseconds).

    Args:
        nanoseconds: since the epoch.
    """
    global _second
    now = nanoseconds // 1000
    begins, prefix = _second
    rest = now - begins
    if not 0 <= rest < _MILLION:
        second, rest = divmod(now, _MILLION)
        prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        _second = second * _MILLION, prefix
    # Six digits with their zeros, at a third less than a format would take: there are two of these a call.
    return f"{prefix}{str(rest + _MILLION)[1:]}Z"
