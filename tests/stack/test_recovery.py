"""`kill -9` of each part under a trickle of calls: the stack comes back without hands, at a measured price."""

import os
import signal
import time
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.faults.drills import FIGURES
from tests.stack.conftest import RunningStack
from tests.support.until import until

READY_S = 240


def main_process(stack: RunningStack, part: str, name: str) -> psutil.Process:
    """Return the program of a container as the host sees it (below the init process)."""
    init = psutil.Process(stack.inspect(part)["State"]["Pid"])
    return next(child for child in init.children(recursive=True) if name in child.name())


def calls_until(
    stack: RunningStack, https: httpx.Client, token: str, recovered: Callable[[], bool]
) -> tuple[float, list[int]]:
    """Call a tool until the condition holds; return the seconds that took, and every status that was not 200."""
    begin, failed = time.monotonic(), []
    while True:
        answer = stack.echo(https, token)
        if answer.status_code != 200:
            failed.append(answer.status_code)
        if recovered():
            return time.monotonic() - begin, failed
        assert time.monotonic() - begin < READY_S, f"not back after {READY_S} s: {failed[-5:]}"
        time.sleep(0.1)


def restarted(stack: RunningStack, part: str, before: int) -> Callable[[], bool]:
    return lambda: stack.inspect(part)["RestartCount"] > before and stack.healthy(part)


@pytest.mark.requirement("STACK-RECOVERY")
@pytest.mark.parametrize(("part", "name"), [("redis", "redis-server"), ("postgres", "postgres"), ("keycloak", "java")])
def test_live_tokens_work_while_a_store_or_keycloak_is_dead(
    stack: RunningStack, https: httpx.Client, record_property: Callable[[str, object], None], part: str, name: str
) -> None:
    token, before = stack.token(), stack.inspect(part)["RestartCount"]
    os.kill(main_process(stack, part, name).pid, signal.SIGKILL)
    seconds, failed = calls_until(stack, https, token, restarted(stack, part, before))
    print(f"kill -9 {part}: healthy again after {seconds:.1f} s, calls that failed meanwhile: {failed}")
    assert failed == []
    # A new login works again too: database and Keycloak found each other without hands.
    begin = time.monotonic()
    until(lambda: _can_log_in(stack), READY_S, "Keycloak gives tokens again")
    login_back_s = seconds + time.monotonic() - begin
    record_property(FIGURES, {"back_s": seconds, "failed": len(failed), "login_back_s": login_back_s})


@pytest.mark.requirement("STACK-RECOVERY")
def test_a_killed_worker_costs_only_what_it_held(stack: RunningStack, https: httpx.Client) -> None:
    token = stack.token()
    master = main_process(stack, "service", "gunicorn")
    workers = master.children()
    assert len(workers) == 2
    workers[0].kill()
    seconds, failed = calls_until(
        stack, https, token, lambda: len([child for child in master.children() if child not in workers]) == 1
    )
    print(f"kill -9 of a worker: replaced after {seconds:.1f} s, calls that failed meanwhile: {failed}")
    assert seconds < 10
    assert len(failed) <= 1
    assert stack.inspect("service")["RestartCount"] == 0


@pytest.mark.requirement("STACK-RECOVERY")
def test_a_killed_edge_comes_back(stack: RunningStack, https: httpx.Client) -> None:
    token, before = stack.token(), stack.inspect("edge")["RestartCount"]
    begin = time.monotonic()
    os.kill(main_process(stack, "edge", "nginx").pid, signal.SIGKILL)
    until(restarted(stack, "edge", before), 60, "the edge is healthy again")
    print(f"kill -9 edge: healthy again after {time.monotonic() - begin:.1f} s")
    assert stack.echo(https, token).status_code == 200


def _can_log_in(stack: RunningStack) -> bool:
    from ops.errors import OperatorError

    try:
        return bool(stack.token())
    except OperatorError:
        return False
