"""What a call counts: added up here by plain numbers, and carried into the metrics once a second (publish.py).

A metric of several workers is a file in memory behind a lock; touching it four times a call would cost more than a
judged token. A worker that is killed with SIGKILL loses what it counted in its last second.

Under load the caches are full of other things than these numbers: a call leaves only a note, and a few hundred notes
are added up together, which costs half as much.
"""

from bisect import bisect_left
from collections import Counter
from typing import Final

from service.telemetry.metrics import BUCKETS, DECISIONS, DURATION, REQUESTS
from service.telemetry.reasons import REASONS

# Of each kind of answer: how many fell into each bucket, the last is beyond all bounds, and the sum of their seconds.
_answers: Final[dict[tuple[str, str, str | None, int], list[float]]] = {}
_decisions: Final[Counter[tuple[bool, str, str | None]]] = Counter()
_noted_answers: Final[list[tuple[str, str, str | None, int, float]]] = []
_noted_decisions: Final[list[tuple[bool, str, str | None]]] = []
MAX_NOTES: Final = 250
_NO_ANSWERS: Final = (0,) * (len(BUCKETS) + 1) + (0.0,)


def count_request(method: str, entrance: str, tool: str | None, status: int, seconds: float) -> None:
    """Count an answer.

    Args:
        method: one of `METHODS`, or OTHER.
        entrance: one of `ENTRANCES`.
        tool: an existing tool, or None.
        status: HTTP status; 0 when there was no answer.
        seconds: how long it took.
    """
    _noted_answers.append((method, entrance, tool, status, seconds))
    if len(_noted_answers) >= MAX_NOTES:
        _add_up()


def count_decision(denied: bool, reason: str, tool: str | None) -> None:
    """Count an allow or a deny.

    Args:
        denied: or allowed.
        reason: a key of `REASONS`; anything else is `other`.
        tool: an existing tool, or None.
    """
    _noted_decisions.append((denied, reason, tool))


def _add_up() -> None:
    for method, entrance, tool, status, seconds in _noted_answers:
        kind = method, entrance, tool, status
        found = _answers.get(kind)
        if found is None:
            found = _answers[kind] = list(_NO_ANSWERS)
        found[bisect_left(BUCKETS, seconds)] += 1
        found[-1] += seconds
    _noted_answers.clear()
    _decisions.update(_noted_decisions)
    _noted_decisions.clear()


def publish_counts() -> None:
    """Carry what was counted since the last time into the metrics. Only the thread that counts may do so."""
    _add_up()
    for (method, entrance, tool, status), found in _answers.items():
        number = sum(found[:-1])
        if not number:
            continue
        REQUESTS.labels(method, entrance, str(status)).inc(number)
        histogram = DURATION.labels(entrance, tool or "none")
        # The library has no way to observe many at once; its buckets are counters, as those here are.
        for bucket, more in zip(histogram._buckets, found, strict=False):  # noqa: SLF001
            if more:
                bucket.inc(more)
        histogram._sum.inc(found[-1])  # noqa: SLF001
        found[:] = _NO_ANSWERS
    for (denied, reason, tool), number in _decisions.items():
        known = reason if reason in REASONS else "other"
        DECISIONS.labels("denied" if denied else "allowed", known, tool or "none").inc(number)
    _decisions.clear()
