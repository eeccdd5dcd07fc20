"""Measure and write docs/benchmarks.md: `python -m tests.benchmarks.calls [--rounds N] [--seconds N] [--no-write]`."""

import argparse
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.calls import report, wrk
from tests.benchmarks.calls.cases import build
from tests.security.issuer import FakeIssuer, serving

parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.calls", description=__doc__)
parser.add_argument("--rounds", type=int, default=10, help="each case runs once in each; 3 or more")
parser.add_argument("--seconds", type=int, default=3, help="how long a run is")
parser.add_argument("--connections", type=int, default=8, help="kept open, each with one request under way")
parser.add_argument("--only", default="", help="run only cases whose group and name hold this text")
parser.add_argument("--no-write", action="store_true", help="print only")
options = parser.parse_args()
if options.rounds < 3:
    sys.exit("--rounds: write 3 or more; fewer have no spread")
if reason := wrk.missing():
    sys.exit(reason)

with ExitStack() as stack:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="secure-mcp-bench-")))
    cases = build(stack, folder, stack.enter_context(serving(FakeIssuer())))
    cases = [case for case in cases if options.only in f"{case.group} {case.name}"]
    for case in cases:
        case.prove()
        case.run(options.connections, options.seconds)  # warms the code and its caches
        case.samples.clear()
    print(f"measuring {len(cases)} cases in {options.rounds} interleaved rounds of {options.seconds} s", flush=True)
    for number in range(options.rounds):
        for case in random.sample(cases, len(cases)):
            case.run(options.connections, options.seconds)
        print(f"  round {number + 1} of {options.rounds}", flush=True)
    print(report.markdown(cases))
    if not options.no_write:
        for line in report.write(cases, options):
            print(line)
