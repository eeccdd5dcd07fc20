"""A Keycloak of before an upgrade, and what there is that an upgrade and the way back must keep."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ops.audit.difference import differences
from ops.distribution import Release
from ops.realm import export_realm, normalise, read_lock
from tests.faults.authorization import AuthorizationServer
from tests.support import client
from tests.support.browser import Browser
from tests.support.login import Person
from tests.support.postgres import Postgres
from tests.support.realm import Realm, answered

# Another minor release, so that tables and realm really change. The SHA-256 is that of the Maven artifact
# keycloak-quarkus-dist, taken when its SHA-1 was the one that the repository publishes beside it.
BEFORE = Release("26.6.4", "b00d79ca3afd94bf431d2c3afb2a5af695da813017c434de7240790de6490779")
# Fields of a realm that came with 26.7: an import by an older one ends at what it does not know.
UNKNOWN = {"webAuthnPolicyResidentKey", "webAuthnPolicyPasswordlessResidentKey"}

Json = dict[str, Any]


def write_lock_of_before(target: Path) -> Path:
    """Write the lock file without what the older Keycloak does not know."""
    lock = {field: value for field, value in read_lock().items() if field not in UNKNOWN}
    target.write_text(json.dumps(lock), encoding="utf-8")
    return target


@dataclass(frozen=True)
class Kept:
    """What was there: logins of a person, one of them to be ended, somebody to be shut out, keys, accounts, the realm,
    and a live token."""

    person: Person
    stranger: Person
    refresh: str
    offline: str
    to_end: str
    keys: Json
    accounts: set[str]
    realm: Json
    token: str


def make(keycloak: AuthorizationServer) -> Kept:
    """Make all of it, the token last: it lives for 300 s, in which the drill has to be over."""
    with keycloak.realm() as realm:
        person, stranger = realm.add_person(), realm.add_person()
        refresh, to_end = (log_in(realm, person)["refresh_token"] for _ in range(2))
        offline = log_in(realm, person, "mcp:read offline_access")["refresh_token"]
    there = keys(keycloak), accounts(keycloak), exported(keycloak)
    return Kept(person, stranger, refresh, offline, to_end, *there, keycloak.token())


def log_in(realm: Realm, person: Person, scope: str = "mcp:read") -> dict[str, str]:
    """Log somebody in by the pages and return the answer of the token endpoint."""
    flow = realm.flow(scope=scope)
    with Browser(realm.keycloak_url) as browser:
        page = browser.log_in(flow.open(browser), person.username, person.password)
        page = browser.answer_consent(page) if page.form("accept") else page
        return answered(flow.exchange(page.answer["code"]))


def logs_in(keycloak: AuthorizationServer, person: Person) -> bool:
    """Say whether somebody gets a token by the pages."""
    try:
        with keycloak.realm() as realm:
            return "access_token" in log_in(realm, person)
    except (httpx.HTTPError, AssertionError):
        return False


def take_away(keycloak: AuthorizationServer, kept: Kept) -> None:
    """End a session (OpenID Connect RP-Initiated Logout), and disable an account."""
    form = {"client_id": "mcp-cli", "refresh_token": kept.to_end}
    assert client.post(f"{keycloak.issuer}/protocol/openid-connect/logout", data=form).is_success
    with keycloak.realm() as realm:
        assert not realm.refresh(kept.to_end).is_success
        user = realm.user(kept.stranger)
        realm.admin.put(f"/{realm.name}/users/{user['id']}", json=user | {"enabled": False})
    assert not logs_in(keycloak, kept.stranger)


def keys(keycloak: AuthorizationServer) -> Json:
    """Return the public keys by id."""
    answer = answered(client.get(f"{keycloak.issuer}/protocol/openid-connect/certs"))
    return {key["kid"]: key for key in answer["keys"]}


def accounts(keycloak: AuthorizationServer) -> set[str]:
    """Return the ids of the people of the realm."""
    with keycloak.realm() as realm:
        return {user["id"] for user in realm.admin.get(f"/{realm.name}/users", max=100_000)}


def change_sets(database: Postgres) -> int:
    """Return how many changes of its schema the database has seen."""
    return int(database.sql("SELECT count(*) FROM databasechangelog", "keycloak")[0])


def exported(keycloak: AuthorizationServer, name: str = "mcp-realm") -> Json:
    """Return a realm as the lock file has it, without the version that exported it."""
    with keycloak.realm() as realm:
        found = normalise(export_realm(realm.admin, name), keycloak.public_url)
    return {field: value for field, value in found.items() if field != "keycloakVersion"}


def changed(before: Json, after: Json) -> set[str]:
    """Return the addresses at which two realms differ, as `secure-mcp audit` names them."""
    return {difference.address for difference in differences(before, after)}
