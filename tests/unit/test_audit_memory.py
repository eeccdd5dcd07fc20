"""What is remembered for many lines of the audit trail says of no line what is true of another."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.auth.logout import LogoutToken
from service.auth.scopes import Demand
from service.auth.token import Caller
from service.telemetry import audit
from service.telemetry.events import Event
from tests.security.inside import decisions

pytestmark = pytest.mark.requirement("AUDIT-LINE")

SCOPES = frozenset({"mcp:read"})
USUAL: dict[str, Any] = {
    "method": "POST",
    "entrance": "mcp",
    "address": "192.0.2.1",
    "event": Event.ACCESS_ALLOWED,
    "reason": "sufficient_scope",
    "status": None,
    "caller": Caller("anna", "agent", "https://id.example", SCOPES, SCOPES, 1, 2, "session-1"),
    "demand": Demand(("mcp:read",), "echo"),
    "ended": None,
}


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    audit._texts.clear()
    yield
    audit._texts.clear()


def write(**other: Any) -> None:
    said = {**USUAL, **other}
    asked = "a", "b", said.pop("entrance"), said.pop("address")
    scope = {"method": said.pop("method"), "state": {"request_id": "a", "asked": asked}}
    audit.record(scope, said.pop("event"), said.pop("reason"), **said)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"method": "GET"}, {"method": "GET"}),
        ({"entrance": "rest"}, {"entrance": "rest"}),
        ({"address": "192.0.2.2"}, {"client_address": "192.0.2.2"}),
        ({"reason": "no_credentials"}, {"reason": "no_credentials"}),
        ({"status": 403}, {"status": 403}),
        ({"demand": Demand(("mcp:write",), "echo")}, {"scopes_asked": ["mcp:write"]}),
        ({"caller": USUAL["caller"]._replace(subject="bert")}, {"sub": "bert"}),
        ({"caller": USUAL["caller"]._replace(session_id="session-2")}, {"session": "session-2"}),
        ({"caller": None, "ended": LogoutToken("session-3", "carl", 1)}, {"sub": "carl", "session": "session-3"}),
        ({"event": Event.ACCESS_DENIED}, {"event": "access_denied"}),
    ],
)
def test_each_line_says_its_own(other: dict[str, Any], told: dict[str, Any]) -> None:
    with decisions() as lines:
        for _ in range(2):
            write()
            write(**other)
    usual, first, again, second = ({key: value for key, value in line.items() if key != "time"} for line in lines)
    assert usual == again
    assert first == second
    assert {key: first.get(key) for key in told} == told != {key: usual.get(key) for key in told}


def test_a_session_that_ended_is_not_taken_for_the_one_before() -> None:
    with decisions() as lines:
        write(caller=None)
        for session in ("one", "two"):
            write(caller=None, ended=LogoutToken(session, None, 1))
    assert [line.get("session") for line in lines] == [None, "one", "two"]


def test_a_caller_who_is_found_by_number_is_kept() -> None:
    with decisions():
        write()
    assert [caller for caller, _ in audit._texts.values()] == [USUAL["caller"]]


def test_no_more_is_remembered_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MAX_REMEMBERED", 3)
    with decisions() as lines:
        for number in range(50):
            write(caller=USUAL["caller"]._replace(subject=f"person-{number}"))
            assert len(audit._texts) <= 3
    assert [line["sub"] for line in lines] == [f"person-{number}" for number in range(50)]
