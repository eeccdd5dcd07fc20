"""What is written while the database breaks: logins and accounts, each remembered once it was confirmed."""

import itertools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, Self

import httpx

from ops.errors import OperatorError
from tests.faults.authorization import AuthorizationServer
from tests.support.browser import Browser
from tests.support.login import Person
from tests.support.oauth import claims_of
from tests.support.postgres import Postgres
from tests.support.realm import Realm, answered
from tests.support.until import until

PAUSE_S = 0.2
HELD_S = 2  # in which an account that was under way is written

# What terraform has written: nothing of it may change by a fault.
CONFIGURATION = (
    "realm", "realm_attribute", "component", "component_config", "client", "client_attributes", "client_scope",
    "client_scope_client", "protocol_mapper", "protocol_mapper_config", "redirect_uris", "keycloak_role",
    "authentication_flow", "authentication_execution", "required_action_provider",
)  # fmt: skip


class Confirmed(NamedTuple):
    """Something that Keycloak said it has written, and when it said so (monotonic time)."""

    at: float
    kind: str
    name: str


class Witness:
    """A person logs in again and again, each time anew, and an administrator makes accounts, while it is entered."""

    def __init__(self, keycloak: AuthorizationServer) -> None:
        self.confirmed: list[Confirmed] = []
        self.refused: list[tuple[float, float, str]] = []
        """When it was asked, how many seconds the answer took, and what it was."""
        self._keycloak, self._ended = keycloak, threading.Event()
        self._hold = threading.Event()
        self._numbers, self._run = itertools.count(1), secrets.token_hex(3)
        self._threads = [threading.Thread(target=self._repeat, args=(what,)) for what in (self._login, self._account)]

    def __enter__(self) -> Self:
        with self._keycloak.realm() as realm:
            self._person = realm.add_person()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(90)
        print("refused:", Counter(said for _, _, said in self.refused))

    def more(self, count: int, deadline_s: float = 90) -> None:
        """Wait until so many further logins, and as many accounts, were confirmed."""
        since = time.monotonic()
        until(lambda: min(self.count(since).values()) >= count, deadline_s, f"{count} logins and accounts")

    def at_a_login(self, what: Callable[[], None]) -> None:
        """Do something at the moment when a login is confirmed; no account that was written after it has kept it."""
        self._hold.set()
        try:
            begin = time.monotonic()
            until(lambda: self.count(begin + HELD_S)["login"], 90, "a login")
            what()
        finally:
            self._hold.clear()

    def count(self, since: float = 0.0) -> Counter[str]:
        """Count what was confirmed since a moment."""
        found = Counter(one.kind for one in tuple(self.confirmed) if one.at >= since)
        return Counter({"login": found["login"], "account": found["account"]})

    def back_after(self, moment: float) -> float:
        """Return the seconds from a moment until both a login and an account were confirmed; all since are."""
        ends = [asked + seconds for asked, seconds, _ in self.refused]
        firsts = [
            min(one.at for one in self.confirmed if one.at > moment and one.kind == kind) for kind in self.count()
        ]
        return max([*firsts, *(end for end in ends if end > moment)]) - moment

    def lost(self, database: Postgres) -> list[Confirmed]:
        """Return what was confirmed and is not in the database."""
        statements = {
            "login": "SELECT user_session_id FROM offline_user_session",
            "account": "SELECT username FROM user_entity",
        }
        there = {kind: set(database.sql(statement, "keycloak")) for kind, statement in statements.items()}
        return [one for one in self.confirmed if one.name not in there[one.kind]]

    def _repeat(self, what: Callable[[Realm], Confirmed]) -> None:
        while not self._ended.is_set():
            begin = time.monotonic()
            if self._hold.is_set() and what == self._account:
                self._ended.wait(PAUSE_S)
                continue
            try:
                with self._keycloak.realm() as realm:
                    self.confirmed.append(what(realm))
            except (OperatorError, httpx.HTTPError, AssertionError) as error:
                self.refused.append((begin, time.monotonic() - begin, f"{what.__name__}: {str(error)[:160]}"))
            self._ended.wait(PAUSE_S)

    def _login(self, realm: Realm) -> Confirmed:
        return log_in(realm, self._person)

    def _account(self, realm: Realm) -> Confirmed:
        name = f"account-{self._run}-{next(self._numbers)}"
        realm.admin.post(f"/{realm.name}/users", json={"username": name, "enabled": True})
        return Confirmed(time.monotonic(), "account", name)


def log_in(realm: Realm, person: Person) -> Confirmed:
    """Log somebody in by the pages, as with a browser that is new; the session counts once there are tokens."""
    flow = realm.flow()
    with Browser(realm.keycloak_url) as browser:
        page = browser.log_in(flow.open(browser), person.username, person.password)
        if page.form("accept"):
            page = browser.answer_consent(page)
        tokens = answered(flow.exchange(page.answer["code"]))
    return Confirmed(time.monotonic(), "login", claims_of(tokens["access_token"])["sid"])


def configuration(database: Postgres) -> list[str]:
    """Return a sum of each table that holds the realm."""
    sums = "SELECT '{0}', md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {0} t"
    return database.sql(" UNION ALL ".join(sums.format(table) for table in CONFIGURATION) + " ORDER BY 1", "keycloak")
