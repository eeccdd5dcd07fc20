"""Interleaved CPU time: machines are shared and drift, so every case is measured beside the others, round by round."""

import gc
import inspect
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

BATCH_SECONDS = 0.006

Operation = Callable[[int], object] | Callable[[int], Awaitable[object]]


@dataclass
class Case:
    """One thing to measure: `operation(n)` does it once; n counts up, for those who rotate tokens."""

    group: str
    name: str
    operation: Operation
    samples: list[float] = field(default_factory=list)
    batch: int = 1

    @property
    def microseconds(self) -> float:
        """The fastest tenth: what the work costs when nobody disturbs it."""
        return statistics.quantiles(self.samples, n=10)[0] if len(self.samples) > 1 else self.samples[0]


async def measure(cases: Sequence[Case], rounds: int, progress: Callable[[int], None]) -> None:
    """Run every case once a round, in a new order each time, and keep CPU microseconds for one operation.

    Args:
        cases: what to measure; their samples are filled.
        rounds: how many times each.
        progress: called after each round with its number.
    """
    for case in cases:
        case.batch = 20
        taken = await _run(case, 0)  # warms the code and its caches
        case.batch = max(5, int(BATCH_SECONDS / (await _run(case, 0) / case.batch or taken)))
    order = list(cases)
    gc.disable()
    try:
        for number in range(rounds):
            random.shuffle(order)
            for case in order:
                case.samples.append(await _run(case, number * case.batch) / case.batch * 1e6)
            gc.collect()
            progress(number + 1)
    finally:
        gc.enable()


async def _run(case: Case, start: int) -> float:
    """Return the CPU seconds of one batch."""
    operation, numbers = case.operation, range(start, start + case.batch)
    if inspect.iscoroutinefunction(operation):
        began = time.process_time()
        for number in numbers:
            await operation(number)
    else:
        began = time.process_time()
        for number in numbers:
            operation(number)
    return time.process_time() - began


def ratio(case: Case, other: Case) -> tuple[float, float, float]:
    """Return the median of case/other with the quartiles, each pair from the same round."""
    quotients = [mine / theirs for mine, theirs in zip(case.samples, other.samples, strict=True)]
    low, middle, high = statistics.quantiles(quotients, n=4)
    return middle, low, high
