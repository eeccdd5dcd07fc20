"""The engine of the machine alone is restarted or killed under load: its containers stay, and it takes them over."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.faults.drills import FIGURES, load_drills
from tests.faults.load import OpenLoad, Target
from tests.host.conftest import Converged
from tests.host.machine import MCP, Machine
from tests.host.test_7_stack import context, token
from tests.support.until import until

PREFIX = "secure-mcp-staging-"
RATE = 20  # calls a second; the edge lets an address have 50
BACK_S = 120
PID = "systemctl show --property=MainPID --value docker"
FAULTS = {
    "engine-restarted": "systemctl restart --no-block docker",
    "engine-killed": f'kill -KILL "$({PID})"',
}


def inspect(machine: Machine) -> list[dict[str, Any]]:
    """Return what the engine says about each container that runs."""
    return list(json.loads(machine.shell("docker ps --quiet | xargs --no-run-if-empty docker inspect") or "[]"))


def same(machine: Machine) -> set[tuple[str, str, int, str]]:
    """Return of each container what is another one once it has been started anew."""
    states = ((found["Name"], found["Id"], found["State"]) for found in inspect(machine))
    return {(name, id_, state["Pid"], state["StartedAt"]) for name, id_, state in states}


def probed_since(machine: Machine, moment: float) -> bool:
    """Say whether each container is healthy by a probe that began after a moment of the machine's clock."""
    states = [found["State"]["Health"] for found in inspect(machine)]
    last = [datetime.fromisoformat(health["Log"][-1]["Start"]).timestamp() for health in states if health["Log"]]
    return {health["Status"] for health in states} == {"healthy"} and len(last) == len(states) and min(last) > moment


def another_engine(machine: Machine, than: str) -> bool:
    """Say whether an engine answers that has another process id."""
    return machine.shell(PID) not in {than, "0\n"} and machine.run("docker", "ps").returncode == 0


def packet_rules(machine: Machine) -> list[str]:
    """Return the rules of the packet filter, which the engine writes as well, without what they counted."""
    return sorted(machine.shell("nft --stateless list ruleset").splitlines())


def lost(machine: Machine, load: OpenLoad) -> int:
    """Count the calls of a load of which the service's log, as the engine keeps it, says nothing."""
    log = machine.shell(f"docker logs {PREFIX}service 2>&1")
    return sum(f'"{call.request_id}"' not in log for call in load.calls)


@contextmanager
def probed_all_the_time(machine: Machine) -> Iterator[list[str]]:
    """Yield the names of containers that count in their logs, with fifty probes a second each."""
    names = [f"probed-{number}" for number in range(3)]
    image = machine.shell("docker images --quiet redis:8.2.8-bookworm").strip()
    run = "docker run --detach --network none --health-cmd true --health-interval 20ms --entrypoint bash --name"
    count = "while echo $((++count)); do sleep 0.1; done"
    try:
        machine.shell("".join(f"{run} {name} {image} -c '{count}'\n" for name in names))
        healthy = "docker ps --quiet --filter name=probed --filter health=healthy"
        until(lambda: len(machine.shell(healthy).split()) == len(names), 30, "they are probed")
        yield names
    finally:
        machine.shell(f"docker rm --force {' '.join(names)}")


def goes_on(machine: Machine, name: str) -> None:
    """Wait until the log of a container that counts is longer than it is now."""
    lines = f"docker logs {name} | wc -l"
    before = int(machine.shell(lines))
    until(lambda: int(machine.shell(lines)) > before, 10, f"the log of {name} goes on")


def starts_again(machine: Machine, part: str) -> None:
    """Kill the program of a container, and wait until the engine has started it again."""
    shown = "{{.RestartCount}} {{.State.Health.Status}}"
    look = f"docker inspect --format '{shown}' {PREFIX}{part}"
    before = int(machine.shell(look).split()[0])
    machine.shell(f"kill -KILL $(docker inspect --format '{{{{.State.Pid}}}}' {PREFIX}{part})")
    until(lambda: machine.shell(look).split() == [str(before + 1), "healthy"], BACK_S, f"{part} is back")


@pytest.mark.requirement("HOST-ENGINE-AWAY")
@pytest.mark.parametrize("drill", FAULTS)
def test_nobody_notices_an_engine_that_is_away(
    converged: Converged, names: None, record_property: Callable[[str, object], None], drill: str
) -> None:
    machine = converged.machine
    before, rules, pid = same(machine), packet_rules(machine), machine.shell(PID)
    refused: list[str] = []

    def back() -> bool:
        """Ask for a token, once, and say whether another engine than before answers."""
        try:
            token(machine, https, "mcp-reader")
        except (httpx.HTTPError, AssertionError) as error:
            refused.append(repr(error))
        return another_engine(machine, pid)

    with httpx.Client(verify=context(converged), trust_env=False, timeout=10) as https:
        edge = Target(443, converged.authority, MCP, (machine.address,))
        with OpenLoad(edge, token(machine, https, "mcp-automation"), RATE) as load:
            load.more(5 * RATE)
            began = time.monotonic()
            machine.shell(FAULTS[drill])
            until(back, BACK_S, "another engine answers")
            ended, moment = time.monotonic(), float(machine.shell("date +%s.%N"))
            until(lambda: probed_since(machine, moment), BACK_S, "the new engine finds each container healthy")
            load.more(5 * RATE)
    meanwhile = sum(load.statuses(began, ended).values())
    figures = {
        "calls": len(load.calls),
        "calls_meanwhile": meanwhile,
        "failed": load.failed(),
        "tokens_refused": len(refused),
        "back_s": ended - began,
        "p99_before_ms": load.p99_ms(before=began),
        "p99_ms": load.p99_ms(since=began),
        "slowest_ms": 1000 * max(call.seconds for call in load.calls if call.due >= began),
        "lines_lost": lost(machine, load),
    }
    record_property(FIGURES, figures)
    print(figures, refused)
    load_drills()[drill].check(figures)
    assert meanwhile > RATE / 4, "the load met an engine that was away"
    assert same(machine) == before
    assert packet_rules(machine) == rules
    assert machine.failed_units() == ""
    starts_again(machine, "redis")


@pytest.mark.requirement("HOST-ENGINE-AWAY")
@pytest.mark.parametrize("fault", FAULTS)
def test_logs_are_read_on_after_an_engine_that_ended_in_the_midst_of_a_probe(converged: Converged, fault: str) -> None:
    """Without secure-mcp-release-probes an engine 20.10 lost the log of one of the three each time."""
    machine = converged.machine
    with probed_all_the_time(machine) as names:
        pid = machine.shell(PID)
        machine.shell("systemctl reset-failed docker")  # systemd counts starts
        machine.shell(FAULTS[fault])
        until(lambda: another_engine(machine, pid), BACK_S, "another engine answers")
        for name in names:
            goes_on(machine, name)
    assert machine.failed_units() == ""
