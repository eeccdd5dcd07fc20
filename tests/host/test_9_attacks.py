"""Attacks on the machine from outside: hidden requests, clients at a crawl, a flood."""

import statistics
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from tests.host.conftest import Converged
from tests.host.flood import Flood
from tests.host.machine import MCP
from tests.host.test_7_stack import context, token
from tests.support.crawl import seconds_until_cut
from tests.support.good_client import GoodClient
from tests.support.smuggle import smuggle, smuggle_http2
from tests.support.target import Target

SERVICE = "secure-mcp-staging-service"
AT_LEAST = 60  # payloads
CUT_S = 30
CRAWLERS = 12  # of each kind
RATE, BURST = 50, 100  # ansible/roles/nginx/defaults/main.yml
FLOOD_RATE = 400
GOOD_RATE = 10
WINDOWS, WINDOW_S = 4, 4.0
LOSS = 0.05


@pytest.fixture
def bearer(converged: Converged, names: None) -> str:
    with httpx.Client(verify=context(converged), trust_env=False, timeout=30) as https:
        return token(converged.machine, https, "mcp-automation")


@pytest.fixture(scope="module")
def target(converged: Converged) -> Target:
    return Target(converged.machine.address, 443, MCP, converged.authority)


@pytest.fixture(scope="class")
def unlimited(converged: Converged, target: Target) -> Iterator[Target]:
    """The edge with limits that no test meets, as its role sets them; afterwards those of before."""
    wide = {"rate": "9999r/s", "burst": 9999}
    rates = dict.fromkeys(("login", "registration", "token"), wide) | {"mcp": wide | {"streams": 512}}
    converged.playbook.converge("--tags=nginx", values={"nginx_rates": rates})
    yield target
    converged.playbook.converge("--tags=nginx")


@pytest.fixture(scope="module")
def neighbour(converged: Converged) -> Iterator[str]:
    """A second address of this computer in the network of the machine."""
    gateway = converged.machine.gateway
    found = subprocess.run(["ip", "-oneline", "address", "show", "to", gateway], capture_output=True, text=True)
    device, address = found.stdout.split()[1], gateway.removesuffix(".1") + ".2"
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", device], check=True)
    yield address
    subprocess.run(["ip", "address", "del", f"{address}/32", "dev", device], check=True)


def reached(converged: Converged, text: str) -> int:
    """Return how many lines of the service's log hold a text."""
    return int(converged.machine.shell(f"docker logs {SERVICE} 2>&1 | grep -cF -- {text} || true"))


class TestWithoutLimits:
    """What counts here is no rate."""

    @pytest.mark.requirement("HOST-ATTACKS")
    def test_no_request_hides_in_another(self, converged: Converged, unlimited: Target, bearer: str) -> None:
        count, wrong = smuggle(unlimited, bearer)
        assert wrong == []
        assert count >= AT_LEAST
        assert reached(converged, "/smuggled") == 0
        assert reached(converged, "/api/v1/tools/echo") >= count, (
            "the canaries were seen where hidden ones were looked for"
        )

    @pytest.mark.requirement("HOST-ATTACKS")
    def test_no_request_hides_in_one_of_http2(self, converged: Converged, unlimited: Target, bearer: str) -> None:
        count, wrong = smuggle_http2(unlimited, bearer)
        assert wrong == []
        assert count >= 30
        assert reached(converged, "/smuggled") == 0

    @pytest.mark.requirement("HOST-ATTACKS")
    def test_a_crawling_client_is_cut_while_others_are_served(
        self, converged: Converged, unlimited: Target, bearer: str
    ) -> None:
        kinds = [kind for kind in ("header", "body", "read") for _ in range(CRAWLERS)]
        with (
            GoodClient(unlimited, bearer, 5, converged.machine.gateway) as good,
            ThreadPoolExecutor(len(kinds)) as pool,
        ):
            seconds = list(pool.map(lambda kind: seconds_until_cut(unlimited, kind, bearer), kinds))
        slowest = {kind: max(s for s, k in zip(seconds, kinds, strict=True) if k == kind) for kind in kinds}
        print(f"cut after at most {slowest} s; the good client: {good.statuses}, slowest {good.slowest_s:.2f} s")
        assert max(seconds) <= CUT_S, slowest
        assert set(good.statuses) == {200}, good.statuses
        assert good.slowest_s < 5, good.slowest_s


@contextmanager
def flooded(flood: Flood | None) -> Iterator[None]:
    if flood is None:
        yield
        return
    with flood:
        yield


@pytest.mark.requirement("HOST-ATTACKS")
def test_a_flood_is_told_to_wait_and_costs_a_good_client_nothing(
    converged: Converged, target: Target, neighbour: str, bearer: str
) -> None:
    """With the limits as the role has them; quiet and flooded windows take turns, so that other work hits both."""
    answered: dict[bool, list[int]] = {False: [], True: []}
    floods = []
    for number in range(2 * WINDOWS):
        flood = Flood(target, converged.machine.gateway, FLOOD_RATE) if number % 2 else None
        with flooded(flood), GoodClient(target, bearer, GOOD_RATE, neighbour) as good:
            threading.Event().wait(WINDOW_S)
        assert set(good.statuses) == {200}, good.statuses
        answered[flood is not None].append(good.statuses[200])
        if flood is not None:
            floods.append(flood)
    sent = [dict(flood.statuses) for flood in floods]
    print(f"good answers in a window: {answered}; the flood's: {sent}")
    for flood in floods:
        assert set(flood.statuses) == {200, 429}, sent
        assert flood.told_to_wait == flood.statuses[429], sent
        assert flood.statuses[200] <= BURST + 1 + RATE * flood.seconds, f"the claimed addresses counted: {sent}"
    assert statistics.median(answered[True]) >= (1 - LOSS) * statistics.median(answered[False]), answered
    assert reached(converged, "198.51.100.") == 0
    assert converged.machine.shell("grep -cF 198.51.100. /var/log/nginx/access.log || true").strip() == "0"
    assert converged.machine.shell(f"grep -cF {converged.machine.gateway} /var/log/nginx/access.log").strip() != "0"
