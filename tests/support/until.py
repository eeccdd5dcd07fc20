"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.05


def until(condition: Callable[[], T], deadline_s: float, what: str) -> T:
    """Call a condition until it is true and return its value.

    Args:
        deadline_s: seconds after which the test fails.
        what: what the test waits for, for the message.
    """
    end = time.monotonic() + deadline_s
    while True:
        if value := condition():
            return value
        assert time.monotonic() < end, f"waited {deadline_s:.0f} s in vain for: {what}"
        time.sleep(POLL_SECONDS)
