"""How many access tokens Keycloak gives out: `python -m tests.benchmarks.issuance [--rounds N] [--no-write]`.

The real Keycloak with the realm of the lock file on its development database, asked by wrk for client credentials
(RFC 6749 section 4.4) by the client `mcp-automation`; CPU time is that of its process.
"""

import argparse
import base64
import os
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from ops.keycloak import KeycloakServer, ensure_distribution, make_instance
from ops.realm import LOCK
from ops.secrets import ACCOUNTS
from service.contract import load_contract
from tests.benchmarks.calls.wrk import Wrk, missing
from tests.benchmarks.page import machine, put
from tests.support.fixtures import realm_values
from tests.support.relay import free_port

CLIENT = "mcp-automation"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WARM_TOKENS, WARM_MOST_S = 3000, 120  # until the machine code of the path is made

parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.issuance", description=__doc__)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=int, default=5, help="how long a round is")
parser.add_argument("--connections", type=int, default=8, help="kept open, each with one request under way")
parser.add_argument("--no-write", action="store_true", help="print only")
options = parser.parse_args()
if options.rounds < 3:
    sys.exit("--rounds: write 3 or more; fewer have no spread")
if reason := missing():
    sys.exit(reason)


def spread(values: list[float], digits: int) -> str:
    """Return the median with the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


with tempfile.TemporaryDirectory(prefix="secure-mcp-bench-") as name:
    folder, port = Path(name), free_port()
    make_instance(ensure_distribution(), folder / "keycloak")
    confidential = [client_id for client_id, client in load_contract().clients.items() if client.kind != "public"]
    own = {client_id: secrets.token_urlsafe(32) for client_id in [*confidential, *ACCOUNTS]}
    values = realm_values("http://localhost:8000", own)
    server = KeycloakServer(folder / "keycloak", port, free_port(), secrets.token_urlsafe(32), values)
    server.start(LOCK)
    try:
        server.wait_ready(300)
        assert server.pid
        url = f"{server.url}/realms/mcp-realm/protocol/openid-connect/token"
        login = base64.b64encode(f"{CLIENT}:{own[CLIENT]}".encode()).decode()
        wrk = Wrk(folder, "tokens", FORM, "grant_type=client_credentials&scope=mcp:read", scheme="Basic")
        issued, begin = 0, time.monotonic()
        while issued < WARM_TOKENS and time.monotonic() < begin + WARM_MOST_S:
            issued += wrk.run(url, [login], options.connections, options.seconds).requests

        def cpu_seconds() -> float:
            """Return the CPU time of Keycloak so far: its script and the machine below it."""
            first = psutil.Process(server.pid)
            return sum(sum(one.cpu_times()[:2]) for one in [first, *first.children(recursive=True)])

        rates, costs, p50, p99 = [], [], [], []
        for number in range(options.rounds):
            before = cpu_seconds()
            run = wrk.run(url, [login], options.connections, options.seconds)
            costs.append((cpu_seconds() - before) / run.requests * 1000)
            rates.append(run.requests / run.seconds)
            p50.append(run.p50)
            p99.append(run.p99)
            print(f"  round {number + 1} of {options.rounds}", flush=True)
    finally:
        server.stop()

cells = (spread(costs, 2), spread(rates, 0), f"{statistics.median(p50):.1f}", spread(p99, 1))
table = "| client credentials | CPU ms a token | tokens/s | p50 ms | p99 ms |\n|---|---|---|---|---|\n"
table += f"| Keycloak 26.7.4 | {' | '.join(cells)} |"
warm = "" if issued >= WARM_TOKENS else ", too few to be warm, so that this is an upper bound"
how = f"{options.rounds} rounds of {options.seconds} s after {issued} tokens{warm}; {options.connections} connections; "
how += f"load average of the machine at the end {os.getloadavg()[0]:.1f}, of which about 2 is the run itself."
print(table)
if not options.no_write:
    put("issuance", f"Measured on {machine(()).rstrip('; .')}. {how}\n\n{table}")
