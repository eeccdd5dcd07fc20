"""What a token costs among many: `python -m tests.benchmarks.many_tokens [--no-write]`.

A validator is shown as many different tokens as a row says (ES256, which is quick to sign), then the last of them again
and again; rows are interleaved. Memory is what the validator kept of them, by tracemalloc.
"""

import argparse
import asyncio
import gc
import random
import statistics
import time
import tracemalloc
from collections.abc import Awaitable, Callable

from tests.benchmarks.cases import Bench
from tests.benchmarks.page import machine, put

SIZES = (1, 1_000, 10_000, 100_000)
ROUNDS, LOOKUPS, LATEST, KEPT_S = 30, 2_000, 5_000, 300

parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.many_tokens", description=__doc__)
parser.add_argument("--no-write", action="store_true", help="print only")

Validate = Callable[[str], Awaitable[object]]


async def filled(bench: Bench, tokens: list[str]) -> tuple[Validate, float]:
    """Return a validator that was shown these tokens, and the MB that it keeps of them."""
    validate = bench.ours(KEPT_S)
    gc.collect()
    tracemalloc.start()
    for token in tokens:
        await validate(token)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    return validate, kept


async def microseconds(validate: Validate, tokens: list[str]) -> float:
    """Return the CPU time of one repeated validation."""
    shown = random.choices(tokens[-LATEST:], k=LOOKUPS)  # noqa: S311 - an order, no secret
    begin = time.process_time()
    for token in shown:
        await validate(token)
    return (time.process_time() - begin) / LOOKUPS * 1e6


async def main(write: bool) -> None:
    """Measure, print and write."""
    bench = Bench("ES256")
    issued = [bench.token(jti=f"onrtcc:{number:032x}") for number in range(max(SIZES))]
    made = {size: await filled(bench, issued[:size]) for size in SIZES}
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size in random.sample(SIZES, len(SIZES)):
            times[size].append(await microseconds(made[size][0], issued[:size]))
    lines = ["| tokens seen | CPU µs, seen before | kept in memory, MB |", "|---|---|---|"]
    for size, (_, kept) in made.items():
        low, middle, high = statistics.quantiles(times[size], n=4)
        lines.append(f"| {size:,} | {middle:.2f} ({low:.2f} to {high:.2f}) | {kept:.1f} |")
    table = "\n".join(lines)
    print(table)
    if write:
        put("many tokens", f"Measured on {machine(('joserfc',))} {ROUNDS} rounds.\n\n{table}")


if __name__ == "__main__":
    asyncio.run(main(not parser.parse_args().no_write))
