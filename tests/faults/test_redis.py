"""Redis away, sick, full and empty: calls do not need it; sessions that end are shared again as soon as it is back."""

import time
from collections.abc import Callable

import pytest
import redis

from service.auth.revocation import STREAM
from tests.faults.conftest import Measure
from tests.faults.ground import Ground
from tests.faults.toxic import Mode
from tests.support.oauth import claims_of
from tests.support.until import until

CALLS = 400
ENDED = "mcp-automation"  # whose token is revoked; the load has another

pytestmark = pytest.mark.requirement("FAULT-REDIS")


def shared_after(place: Ground, store: redis.Redis) -> float:
    """Tell the stream, as a worker does, that somebody's tokens ended; return the seconds until all workers know."""
    token = place.keycloak.token(ENDED)
    claims = claims_of(token)
    until(lambda: place.judges(token) == 200, 10, "the token is good")
    begin = time.monotonic()
    store.xadd(STREAM, {"kind": "sub", "value": claims["sub"], "at": str(claims["iat"])})
    # Which worker answers is the system's choice: twenty refusals in a row are of both.
    until(lambda: all(place.judges(token) == 401 for _ in range(20)), 60, "all workers refuse it")
    return time.monotonic() - begin


def full(store: redis.Redis) -> None:
    """Leave Redis no room to write."""
    store.set("filler", "x" * 1_000_000)
    store.config_set("maxmemory", 1)
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        store.set("more", "x")


def room(store: redis.Redis) -> None:
    store.config_set("maxmemory", 0)


@pytest.mark.parametrize("mode", ["refuse", "slow", "blackhole", "reset"])
def test_sick(well: Ground, store: redis.Redis, drill: Measure, mode: Mode) -> None:
    measure = drill(f"redis-{mode}")
    with well.load() as load:
        load.more(100)
        begin = time.monotonic()
        well.to_redis.be(mode, seconds=5)
        load.more(CALLS)
        assert well.ready()
        end = time.monotonic()
        well.to_redis.be("pass")
        shared_s = shared_after(well, store)
        load.more(50)
    measure.measured(
        failed=load.failed(), shared_s=shared_s, p99_ms=load.p99_ms(begin, end), p99_before_ms=load.p99_ms(before=begin)
    )


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [(full, room), (redis.Redis.flushall, lambda store: None)],
    ids=["full", "flushed"],
)
def test_without_room_or_content(
    well: Ground,
    store: redis.Redis,
    drill: Measure,
    request: pytest.FixtureRequest,
    break_it: Callable[[redis.Redis], object],
    mend_it: Callable[[redis.Redis], object],
) -> None:
    measure, token = drill(f"redis-{request.node.callspec.id}"), well.keycloak.token(ENDED)
    claims = claims_of(token)
    with well.load() as load:
        store.xadd(STREAM, {"kind": "sub", "value": claims["sub"], "at": str(claims["iat"])})
        until(lambda: all(well.judges(token) == 401 for _ in range(20)), 60, "all workers refuse it")
        break_it(store)
        load.more(CALLS)
        revived = sum(well.judges(token) == 200 for _ in range(20))
        mend_it(store)
        until(lambda: well.keycloak.token(ENDED) and True, 10, "Keycloak gives tokens")
        until(lambda: claims_of(well.keycloak.token(ENDED))["iat"] > claims["iat"], 10, "the next second")
        shared_s = shared_after(well, store)
    measure.measured(failed=load.failed(), revived=revived, shared_s=shared_s)
