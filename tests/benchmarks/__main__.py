"""Run the benchmark and write docs/benchmarks.md: `python -m tests.benchmarks [--rounds N] [--no-write]`."""

import argparse
import asyncio
import inspect
import sys

from tests.benchmarks import report
from tests.benchmarks.cases import LIMIT, Bench, Verifier, build, refusals, rotating
from tests.benchmarks.measure import Case, measure


async def _prove(bench: Bench, name: str, verify: Verifier) -> None:
    """A verifier that accepts everything is quick: each must accept a good token and refuse a forged one."""
    head, body, signature = bench.tokens[0].split(".")
    middle = len(signature) // 2
    letter = "A" if signature[middle] != "A" else "B"
    forged = f"{head}.{body}.{signature[:middle]}{letter}{signature[middle + 1 :]}"
    for token, wanted in ((bench.tokens[0], True), (forged, False)):
        try:
            answer = verify(token)
            if inspect.isawaitable(answer):
                await answer
            accepted = True
        except Exception as error:  # noqa: BLE001 - every library has its own exceptions for a refusal
            accepted, refusal = False, error
        if accepted is not wanted:
            raise SystemExit(
                f"{name} misjudged a {'good' if wanted else 'forged'} {bench.algorithm} token: {refusal!r}"
            )


async def _main(rounds: int, write: bool) -> None:
    cases: list[Case] = []
    for bench, verifiers in build():
        cases.append(Case(bench.algorithm, LIMIT, bench.bare()))
        for name, verify in verifiers.items():
            await _prove(bench, f"{name}", verify)
            cases.append(Case(bench.algorithm, name, rotating(verify, bench.tokens)))
        if bench.algorithm == "RS256":
            cases.extend(refusals(bench))
    print(f"measuring {len(cases)} cases in {rounds} interleaved rounds", flush=True)
    await measure(cases, rounds, lambda number: print(f"  round {number} of {rounds}", flush=True))
    print(report.markdown(report.by_group(cases)))
    if write:
        for line in report.write(cases, rounds):
            print(f"changed since the last run: {line}")
        print("wrote docs/benchmarks.md, docs/benchmarks.json and docs/images/validation.svg")


parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
parser.add_argument("--rounds", type=int, default=40)
parser.add_argument("--no-write", action="store_true")
options = parser.parse_args()
if options.rounds < 3:
    sys.exit("--rounds: write 3 or more; fewer have no spread")
asyncio.run(_main(options.rounds, not options.no_write))
