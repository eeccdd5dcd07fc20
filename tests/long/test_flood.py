"""10,000 unknown key ids a minute: at most four fetches of the keys, and good calls hardly notice."""

import statistics
import time
from pathlib import Path

import pytest

from tests.security.conftest import REALM
from tests.security.issuer import FakeIssuer, serving
from tests.security.keyring import published
from tests.security.steps import make
from tests.security.system import service
from tests.support.flood import Flood
from tests.support.load import Load
from tests.support.until import until

BOGUS_A_MINUTE = 10_000
GOOD_A_SECOND = 50
WINDOW_S = 10.0
WINDOWS = 6  # of each kind, one after the other: the machine drifts
FETCHES_A_MINUTE = 4
SLOWER = 1.10


@pytest.mark.requirement("RFC7517-KEYS")
def test_a_flood_of_unknown_keys_costs_good_calls_little(tmp_path: Path) -> None:
    with serving(FakeIssuer()) as issuer:
        issuer.realms[REALM] = list(published())
        with service(issuer.issuer(REALM), tmp_path) as running:
            url, token = f"{running.origin}/api/v1/tools", make("RS256", [], running.world)
            medians: dict[bool, list[float]] = {True: [], False: []}
            with Flood(url, BOGUS_A_MINUTE / 60) as flood, Load(url, lambda: token, GOOD_A_SECOND) as load:
                before, flooded_s, start = issuer.certs_fetches(REALM), 0.0, time.monotonic()
                for number in range(2 * WINDOWS):
                    on = number % 2 == 1
                    flood.switch(on)
                    began, seen = time.monotonic(), len(load.seconds)
                    until(lambda end=began + WINDOW_S: time.monotonic() >= end, 2 * WINDOW_S, "the window's end")
                    medians[on].append(statistics.median(load.seconds[seen:]))
                    flooded_s += on * (time.monotonic() - began)
                fetches, minutes = issuer.certs_fetches(REALM) - before, (time.monotonic() - start) / 60
    assert set(load.statuses) == {200}, load.statuses
    assert set(flood.statuses) == {401}, flood.statuses
    assert sum(flood.statuses.values()) >= 0.9 * BOGUS_A_MINUTE / 60 * flooded_s
    assert fetches <= FETCHES_A_MINUTE * minutes, fetches
    slower = statistics.median(with_ / without for with_, without in zip(medians[True], medians[False], strict=True))
    print(f"{sum(flood.statuses.values())} unknown ids, {fetches} fetches, good calls {slower:.3f} of the calm median")
    assert slower <= SLOWER, medians
