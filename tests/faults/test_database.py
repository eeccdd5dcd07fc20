"""PostgreSQL killed, stopped, full, out of connections, late: live tokens work on, and what was confirmed is there."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import Measure
from tests.faults.drills import Drill
from tests.faults.ground import Ground
from tests.faults.witness import Witness, configuration
from tests.support.postgres import Postgres
from tests.support.until import until

STOPPED_S = 60
AWAY_S = 15
CALLS = 500
BACK_S = 240

pytestmark = pytest.mark.requirement("FAULT-DATABASE")


class Watch:
    """A drill under way: `back` is when the database was mended."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.back = 0.0

    def mended(self) -> None:
        self.back = time.monotonic()


@contextmanager
def watched(place: Ground, database: Postgres, measure: Drill) -> Iterator[Watch]:
    """Send calls, log in and make accounts for the block, then compare what was confirmed with what is there."""
    before = configuration(database)
    with place.load() as load:
        load.more(100)
        with Witness(place.keycloak) as witness:
            witness.more(5)
            watch = Watch(witness)
            broken = time.monotonic()
            yield watch
            witness.more(5, BACK_S)
        load.more(100)
    lost = witness.lost(database)
    print("lost:", lost, "of", witness.count())
    assert witness.count(broken) != witness.count(), "nothing was confirmed before"
    assert configuration(database) == before
    measure.measured(
        failed=load.failed(),
        unauthorized=load.statuses()["401"],
        lost=len(lost),
        confirmed=len(witness.confirmed),
        refused=len(witness.refused),
        login_back_s=witness.back_after(watch.back),
        slowest_answer_s=max([seconds for _, seconds, _ in witness.refused], default=0.0),
    )
    assert place.judges(place.keycloak.token()) == 200


def test_database_killed(over_postgres: Ground, database: Postgres, drill: Measure) -> None:
    with watched(over_postgres, database, drill("database-sigkill")) as watch:
        watch.witness.at_a_login(database.kill)
        killed = time.monotonic()
        until(lambda: len(watch.witness.refused) >= 2 and time.monotonic() > killed + AWAY_S, 90, "logins are refused")
        database.start()
        watch.mended()


def test_database_stopped(over_postgres: Ground, database: Postgres, drill: Measure) -> None:
    with watched(over_postgres, database, drill("database-stopped")) as watch:
        database.stop()
        stopped = time.monotonic()
        until(lambda: time.monotonic() > stopped + STOPPED_S, STOPPED_S + 5, "the outage is long enough")
        assert watch.witness.refused
        database.start()
        watch.mended()


def test_database_full(over_postgres: Ground, database: Postgres, drill: Measure) -> None:
    """Neither its tables nor its log have room; like the engine, the drill starts it again whenever it ends."""
    if not database.disk.is_mount():
        pytest.skip("needs root, to give PostgreSQL a small disk")
    with watched(over_postgres, database, drill("database-full")) as watch:
        filler = database.fill()
        try:
            assert "No space left on device" in database.log
            full = time.monotonic()
            until(lambda: _runs(database) and time.monotonic() > full + AWAY_S, 90, "the disk is full for a while")
            assert watch.witness.refused
        finally:
            filler.unlink()
        watch.mended()
        until(lambda: _runs(database) and database.answers(), 60, "PostgreSQL is back")


def _runs(database: Postgres) -> bool:
    """Start it if it has ended, as a container engine does."""
    if not database.lives():
        database.launch()
    return True


def test_no_connection_left(over_postgres: Ground, database: Postgres, drill: Measure) -> None:
    with watched(over_postgres, database, drill("database-connections")) as watch:
        taken: list[subprocess.Popen[bytes]] = []
        try:
            # What Keycloak holds is cut, and others take it.
            until(lambda: _taken(database, taken), 90, "no connection is left for Keycloak")
            until(lambda: len(watch.witness.refused) >= 2, 90, "logins are refused")
        finally:
            for session in taken:
                session.terminate()
                session.wait(10)
        watch.mended()


def _taken(database: Postgres, taken: list[subprocess.Popen[bytes]]) -> bool:
    """Take more sessions than there may be, and cut those of Keycloak; say whether it has none left."""
    hold = "SET statement_timeout = 0; SELECT pg_sleep(600)"
    taken += [database.session(hold) for _ in range(20)]
    database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%JDBC%'")
    return database.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%JDBC%'") == ["0"] and any(
        session.poll() is not None for session in taken
    )


def test_database_down_at_start(over_postgres: Ground, database: Postgres, drill: Measure) -> None:
    """Keycloak is started without its database; like the engine, the drill starts it again whenever it ends."""
    measure, place = drill("database-down-at-start"), over_postgres
    with place.load() as load:
        load.more(100)
        place.keycloak.server.stop()
        database.stop()
        begin = time.monotonic()
        place.keycloak.start()
        starts = [begin]

        def kept() -> bool:
            if place.keycloak.server.pid is None:
                place.keycloak.server.stop()  # takes its exit status
                place.keycloak.start()
                starts.append(time.monotonic())
            return place.keycloak.answers()

        until(lambda: kept() or time.monotonic() > begin + STOPPED_S, STOPPED_S + 30, "the outage is long enough")
        assert not place.keycloak.answers()
        database.start()
        back = time.monotonic()
        until(kept, BACK_S, "a login works")
        login_back_s = time.monotonic() - back
        load.more(100)
    measure.measured(
        failed=load.failed(), unauthorized=load.statuses()["401"], login_back_s=login_back_s, starts=len(starts)
    )
