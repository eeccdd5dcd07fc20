"""The time as every line of the log and of the audit trail has it."""

import time

_second = (0, "")


def now_text() -> str:
    """Return the time now (RFC 3339, UTC, microseconds)."""
    global _second
    now = time.time()
    second, prefix = int(now), _second[1]
    if second != _second[0]:
        prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _second = second, prefix
    return f"{prefix}.{int((now - second) * 1_000_000):06d}Z"
