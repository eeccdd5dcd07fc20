"""Keycloak upgraded under load, the older one tried on the newer one's database, and the way back by the dump."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.distribution import ensure_distribution
from ops.errors import OperatorError
from ops.realm import read_lock
from tests.faults import upgrade
from tests.faults.authorization import AuthorizationServer, authorization
from tests.faults.conftest import Measure
from tests.faults.ground import Ground, ground
from tests.faults.keycloak_build import keycloak_for_postgres, settings_of_the_stack
from tests.faults.upgrade import BEFORE, Kept, changed, exported
from tests.faults.witness import Witness, configuration
from tests.support.oauth import claims_of
from tests.support.postgres import Postgres, missing_postgres, postgres
from tests.support.realm import answered
from tests.support.until import until

BACK_S = 240
WARNING = "against database, which was already migrated to newer version"
# What a migration from 26.6 leaves otherwise than an import of the lock file by 26.7 makes it.
LEFT = {"requiredActions/CONFIGURE_TOTP/priority", "requiredActions/UPDATE_PASSWORD/priority"}

pytestmark = pytest.mark.requirement("FAULT-UPGRADE")


@pytest.fixture(scope="module")
def embedded() -> Path:
    """The older Keycloak, built for its embedded database."""
    try:
        return ensure_distribution(release=BEFORE)
    except OperatorError as error:
        pytest.skip(f"no Keycloak {BEFORE.version} to begin with: {error}")


@pytest.fixture(scope="module")
def older(embedded: Path) -> Path:
    """The older Keycloak, built for PostgreSQL."""
    return keycloak_for_postgres(BEFORE)


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """One of its own, which the older Keycloak fills."""
    if missing := missing_postgres():
        pytest.skip(missing)
    with postgres() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def place(
    older: Path, database: Postgres, redis_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("upgrade")
    variables = {"KC_DB_URL": database.url, "KC_DB_USERNAME": "keycloak", "KC_DB_PASSWORD": database.password}
    lock = upgrade.write_lock_of_before(folder / "realm.json")
    with authorization(folder, older, variables | settings_of_the_stack(), lock) as keycloak:
        keycloak.lock = None  # from here on the realm is in the database or nowhere
        with ground(keycloak, redis_port, tmp_path_factory.mktemp("ground")) as running:
            yield running


def test_upgrade_and_the_way_back(place: Ground, older: Path, database: Postgres, drill: Measure) -> None:
    """The older Keycloak has the realm of the lock file but for two fields of WebAuthn, which it does not know.

    One token of before the dump is shown by all calls: while Keycloak is exchanged, after it, while the older one runs
    on the migrated database, and after the way back.
    """
    upgraded, downgraded, restored = map(drill, ("keycloak-upgraded", "keycloak-older-again", "keycloak-back-by-dump"))
    keycloak, newer = place.keycloak, keycloak_for_postgres()
    kept = upgrade.make(keycloak)
    tables, change_sets = configuration(database), upgrade.change_sets(database)
    with place.load(kept.token) as load:
        load.more(100)
        with Witness(keycloak) as witness:
            witness.more(5)
            asked = time.monotonic()
            dump = database.dump()
            witness.more(3)
            begun = time.monotonic()
            keycloak.become(newer)
            witness.more(5, BACK_S)
        lost = witness.lost(database)
        stays(keycloak, kept)
        tokens = [keycloak.token(), *(refreshed(keycloak, token) for token in (kept.refresh, kept.offline))]
        changes = upgrade.change_sets(database) - change_sets
        upgrade.take_away(keycloak, kept)

        again = time.monotonic()
        keycloak.become(older)
        login_again_s = login_back(keycloak, kept, again)
        misread, unmigrated = what_the_older_one_does(keycloak, kept, newer)

        way_back = time.monotonic()
        keycloak.server.stop()
        database.restore(dump)
        keycloak.become(older)
        login_back_s = login_back(keycloak, kept, way_back)
        gone = witness.lost(database)
        is_as_it_was(keycloak, kept)
        tokens += [refreshed(keycloak, token) for token in (kept.refresh, kept.offline, kept.to_end)]
        assert {place.judges(token) for token in (kept.token, *tokens)} == {200}
        load.more(100)
    assert claims_of(kept.token)["exp"] > time.time(), "this took longer than a token lives: its end is no finding"
    assert (configuration(database), upgrade.change_sets(database)) == (tables, change_sets)
    # What was confirmed between the dump and the way back is not there any more.
    assert {one for one in witness.confirmed if one.at > begun} <= set(gone)

    def calls(since: float, before: float = float("inf")) -> dict[str, int]:
        return {"failed": load.failed(since, before), "unauthorized": load.statuses(since, before)["401"]}

    upgraded.measured(
        **calls(0, again),
        lost=len(lost),
        login_back_s=witness.back_after(begun),
        change_sets=changes,
        confirmed=len(witness.confirmed),
        refused=len(witness.refused),
    )
    downgraded.measured(**calls(again, way_back), login_back_s=login_again_s, misread=misread, unmigrated=unmigrated)
    restored.measured(
        **calls(way_back),
        lost=len([one for one in gone if one.at < asked]),
        gone=len(gone),
        login_back_s=login_back_s,
    )


def login_back(keycloak: AuthorizationServer, kept: Kept, since: float) -> float:
    """Return the seconds from a moment until somebody of before the upgrade has logged in."""
    until(lambda: upgrade.logs_in(keycloak, kept.person), BACK_S, "a login works")
    return time.monotonic() - since


def refreshed(keycloak: AuthorizationServer, refresh_token: str) -> str:
    """Use a refresh token, which stays one of its session and kind; return the access token that it brings."""
    with keycloak.realm() as realm:
        tokens = answered(realm.refresh(refresh_token))
    before, after = claims_of(refresh_token), claims_of(tokens["refresh_token"])
    assert (after["sid"], after["typ"]) == (before["sid"], before["typ"])
    return str(tokens["access_token"])


def stays(keycloak: AuthorizationServer, kept: Kept) -> None:
    """Keys, accounts, the token and the realm are what they were: only what is named differs from the lock file."""
    assert upgrade.keys(keycloak) == kept.keys
    assert kept.accounts <= upgrade.accounts(keycloak)
    lock = {field: value for field, value in read_lock().items() if field != "keycloakVersion"}
    assert changed(lock, exported(keycloak)) == LEFT
    with keycloak.realm() as realm:
        assert realm.introspect(kept.token)["active"]


def what_the_older_one_does(keycloak: AuthorizationServer, kept: Kept, newer: Path) -> tuple[int, int]:
    """The older Keycloak starts on the migrated database as if all were well: a line of its log is all that it says.

    Returns:
        How many values of the realm it shows otherwise than before the upgrade, beside what the migration changed; and
        in how many a realm that it makes differs from one that the newer makes: no migration makes that good any more.
    """
    assert WARNING in keycloak.server.log.read_text(encoding="utf-8", errors="replace")
    misread = changed(kept.realm, exported(keycloak)) - LEFT
    make_realm(keycloak, "made-by-the-older")
    keycloak.become(newer)
    keycloak.wait()
    make_realm(keycloak, "made-by-the-newer")
    unmigrated = changed(exported(keycloak, "made-by-the-newer"), exported(keycloak, "made-by-the-older"))
    print("misread:", misread, "unmigrated:", unmigrated)
    assert misread
    assert unmigrated
    return len(misread), len(unmigrated)


def make_realm(keycloak: AuthorizationServer, name: str) -> None:
    with keycloak.realm() as realm:
        realm.admin.post("", json={"realm": name, "enabled": True})


def is_as_it_was(keycloak: AuthorizationServer, kept: Kept) -> None:
    """All of before the dump is there and nothing since, not even that somebody was shut out."""
    assert upgrade.keys(keycloak) == kept.keys
    assert kept.accounts <= upgrade.accounts(keycloak)
    assert exported(keycloak) == kept.realm
    assert upgrade.logs_in(keycloak, kept.stranger)
    with keycloak.realm() as realm:
        assert realm.introspect(kept.token)["active"]


def test_embedded_database(embedded: Path, drill: Measure, tmp_path: Path) -> None:
    """As `make up` does it without an engine: another release is put around the instance's data."""
    lock = upgrade.write_lock_of_before(tmp_path / "realm.json")
    with authorization(tmp_path, embedded, lock=lock) as keycloak:
        keycloak.lock = None
        kept, begun = upgrade.make(keycloak), time.monotonic()
        keycloak.become(ensure_distribution())
        login_back_s = login_back(keycloak, kept, begun)
        stays(keycloak, kept)
        for token in (kept.refresh, kept.offline, kept.to_end):
            refreshed(keycloak, token)
    drill("keycloak-embedded-upgraded").measured(login_back_s=login_back_s)
