"""wrk, the load generator: https://github.com/wg/wrk (Debian and Homebrew: `wrk`)."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Requests are made before the run, one for each token, and sent in turn.
_SCRIPT = """\
local requests, next_one = {}, 0
function init(args)
  for token in io.lines(args[1]) do
    wrk.headers["Authorization"] = args[2] .. " " .. token
    requests[#requests + 1] = wrk.format()
  end
end
function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "errors": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Run:
    """What wrk measured; latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float


def missing() -> str | None:
    """Say what is to be installed; None where wrk is there."""
    return None if shutil.which("wrk") else "no wrk, the load generator; install it: apt-get install wrk"


class Wrk:
    """Sends one kind of request.

    Args:
        folder: for the script and the tokens.
        name: of both files.
        headers: besides Authorization.
        body: of each request.
        scheme: of Authorization.
    """

    def __init__(self, folder: Path, name: str, headers: dict[str, str], body: str, scheme: str = "Bearer") -> None:
        self._scheme = scheme
        self._script, self._tokens = folder / f"{name}.lua", folder / f"{name}.tokens"
        lines = [f"wrk.method = {json.dumps('POST')}", f"wrk.body = [==[{body}]==]"]
        lines += [f"wrk.headers[{json.dumps(key)}] = {json.dumps(value)}" for key, value in headers.items()]
        self._script.write_text("\n".join([*lines, _SCRIPT]), encoding="utf-8")

    def run(self, url: str, tokens: Sequence[str], connections: int, seconds: int) -> Run:
        """Send requests as fast as they are answered.

        Args:
            url: where.
            tokens: shown in turn.
            connections: kept open, each with one request under way.
            seconds: how long.

        Raises:
            RuntimeError: an answer was no success, or a connection failed.
        """
        self._tokens.write_text("\n".join(tokens), encoding="utf-8")
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
            "-s",
            str(self._script),
            url,
            "--",
        ]
        done = subprocess.run([*command, str(self._tokens), self._scheme], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.rpartition("RESULT ")[2])
        if found["errors"] or not found["requests"]:
            raise RuntimeError(f"{self._script.stem}, {url}: {found['errors']} of {found['requests']} requests failed")
        return Run(found["requests"], found["microseconds"] / 1e6, found["p50"] / 1000, found["p99"] / 1000)
