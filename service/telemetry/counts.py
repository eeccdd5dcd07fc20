"""What a call counts: added up here by plain numbers, and carried into the metrics once a second (publish.py).

A metric of several workers is a file in memory behind a lock; touching it four times a call would cost more than a
judged token. A worker that is killed with SIGKILL loses what it counted in its last second.

Under load the caches are full of other things than these numbers: a call leaves only a note, and some dozens
are added up together, which costs half as much.
"""

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from service.telemetry.events import Event
from service.telemetry.metrics import BUCKETS, DECISIONS, DURATION, REQUESTS
from service.telemetry.reasons import REASONS

if TYPE_CHECKING:
    from service.auth.logout import LogoutToken
    from service.auth.scopes import Demand
    from service.auth.token import Caller

# Of each kind of answer: how many fell into each bucket, the last is beyond all bounds, and the sum of their seconds.
_answers: Final[dict[tuple[str, str, str | None, int], list[float]]] = {}
_decisions: Final[Counter[tuple[bool, str, str | None]]] = Counter()
Asked = tuple[str, str, str, str]
"""What a request is known by: request id, trace id, entrance, address of the caller."""
Answered = tuple[Any, int, Asked, str, str, int, float, str | None]
"""What is said of an answered request: what makes its line, the time in nanoseconds, what it is known by, method,
path, status, seconds, an existing tool or None."""
Decided = tuple[Any, int, Event, Asked, str, str, int | None, "Caller | None", "Demand | None", "LogoutToken | None"]
"""What is said of a decision: what makes its line, the time in nanoseconds, then what `audit.record` takes."""
noted_answers: Final[list[Answered]] = []
_noted_decisions: Final[list[Decided]] = []
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
MAX_NOTES: Final = 64
# To ask an enumeration for a member takes as long as to count.
_ALLOWED: Final = Event.ACCESS_ALLOWED
_REVOKED: Final = Event.SESSION_REVOKED
_NO_ANSWERS: Final = (0,) * (len(BUCKETS) + 1) + (0.0,)

note_decision: Final = _noted_decisions.append
"""Count an allow or a deny. Its line is made of the same, so that a call leaves one thing in memory and not two."""


def add_up() -> None:
    """Add the notes up, which is due when there are `MAX_NOTES` answers among them."""
    for _, _, asked, method, _, status, seconds, tool in noted_answers:
        kind = method if method in METHODS else "OTHER", asked[2], tool, status
        found = _answers.get(kind)
        if found is None:
            found = _answers[kind] = list(_NO_ANSWERS)
        found[bisect_left(BUCKETS, seconds)] += 1
        found[-1] += seconds
    noted_answers.clear()
    _decisions.update(
        [
            (event is not _ALLOWED and event is not _REVOKED, reason, demand.tool if demand else None)
            for _, _, event, _, _, reason, _, _, demand, _ in _noted_decisions
        ]
    )
    _noted_decisions.clear()


def publish_counts() -> None:
    """Carry what was counted since the last time into the metrics. Only the thread that counts may do so."""
    add_up()
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
