"""Clients at a crawl are cut while others are served, and a flood costs nobody else anything."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.security.fronts import Front, front
from tests.security.issuer import FakeIssuer
from tests.support.crawl import seconds_until_cut
from tests.support.good_client import GoodClient, call

CUT_S = 30
CRAWLERS = 20
GOOD, FLOODER = "127.0.0.3", "127.0.0.2"
RATE, BURST = 5, 5
GOOD_RATE = 2
FLOOD_S = 10.0


@pytest.fixture(scope="module")
def limited(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    limits = {"rate_mcp": f"{RATE}r/s", "burst_mcp": str(BURST)}
    with front(issuer, tmp_path_factory.mktemp("limited"), **limits) as running:
        yield running


@pytest.fixture(scope="module")
def unlimited(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(issuer, tmp_path_factory.mktemp("unlimited"), rate_mcp="9999r/s", burst_mcp="9999") as running:
        yield running


@pytest.mark.requirement("EDGE-SLOW-CLIENTS")
@pytest.mark.parametrize("kind", ["header", "body", "read"])
def test_a_crawling_client_is_cut_while_others_are_served(unlimited: Front, kind: str) -> None:
    with GoodClient(unlimited.target, unlimited.token, 5, GOOD) as good, ThreadPoolExecutor(CRAWLERS) as pool:
        seconds = list(pool.map(lambda _: seconds_until_cut(unlimited.target, kind, unlimited.token), range(CRAWLERS)))
    assert max(seconds) <= CUT_S, sorted(seconds)
    assert set(good.statuses) == {200}, good.statuses
    assert good.statuses[200] >= 5
    assert good.slowest_s < 5, good.slowest_s


@pytest.mark.requirement("EDGE-RATE-LIMIT")
def test_a_flood_is_told_to_wait_and_costs_a_good_client_nothing(limited: Front) -> None:
    target, token = limited.target, limited.token
    spoofs = [f"X-Forwarded-For: 198.51.100.{number}" for number in range(250)]
    answers: Counter[int] = Counter()
    heads: list[str] = []

    def flood(end: float) -> None:
        while time.monotonic() < end:
            spoof = spoofs[sum(answers.values()) % len(spoofs)]
            status, head = call(target, token, spoof, f"X-Real-IP: {GOOD}", source=FLOODER)
            answers[status] += 1
            heads.append(head)

    with GoodClient(target, token, GOOD_RATE, GOOD) as good, ThreadPoolExecutor(4) as pool:
        began = time.monotonic()
        for flooding in [pool.submit(flood, began + FLOOD_S) for _ in range(4)]:
            flooding.result()
        seconds = time.monotonic() - began
    assert set(answers) == {200, 429}, answers
    assert answers[200] <= BURST + 1 + RATE * seconds, f"the spoofed addresses counted: {answers}"
    assert all("\r\nRetry-After: " in head for head in heads if " 429 " in head)
    assert set(good.statuses) == {200}, good.statuses
    assert good.statuses[200] >= 0.95 * GOOD_RATE * seconds - 1, good.statuses
