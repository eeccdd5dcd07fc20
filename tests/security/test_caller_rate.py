"""The rate of one caller through the real service with several workers and a real Redis."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.security.issuer import FakeIssuer
from tests.security.steps import make
from tests.security.system import Service, service
from tests.security.wire import Answer, call_echo, connection, request
from tests.support.redis_server import redis_server
from tests.support.relay import free_port
from tests.support.until import until

pytestmark = pytest.mark.requirement("CALLER-RATE")

RATE, WORKERS = 120, 4
# What a worker lets through until it has heard of the others, once in half a second.
LATE = 30


@dataclass(frozen=True)
class Caller:
    """Calls the service with a token of one person, on a new connection each time."""

    running: Service
    subject: str
    client: str = "mcp-automation"

    def call(self, request_id: str = "") -> Answer:
        target, headers, body = call_echo("mcp")
        token = make("ES256", [{"claims": {"sub": self.subject, "azp": self.client}}], self.running.world)
        headers.append(b"Authorization: Bearer " + token.encode())
        if request_id:
            headers.append(b"X-Request-ID: " + request_id.encode())
        with connection(self.running.origin) as opened:
            opened.send(request("POST", target, headers, body, host=self.running.host))
            return opened.answer()

    def statuses(self, number: int) -> Counter[int]:
        return Counter(self.call().status for _ in range(number))


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def running(issuer: FakeIssuer, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "WORKERS": str(WORKERS),
        "CALLER_REQUESTS_PER_MINUTE": str(RATE),
    }
    folder = tmp_path_factory.mktemp("caller-rate")
    with redis_server(folder, port), service(issuer.issuer("shared"), folder, **settings) as found:
        yield found


def refused_by_all(caller: Caller) -> int:
    """Call now and then until every worker refuses, and return how often a call was let through on the way."""
    through = in_a_row = 0

    def refused() -> bool:
        nonlocal through, in_a_row
        let_through = caller.call().status == 200
        through += let_through
        in_a_row = 0 if let_through else in_a_row + 1
        return in_a_row == 5 * WORKERS

    until(refused, 20, "every worker to refuse")
    return through


def test_a_caller_gets_its_rate_from_all_workers_together(running: Service) -> None:
    caller = Caller(running, "eager")
    statuses = caller.statuses(RATE)
    assert statuses.keys() <= {200, 429}
    through = statuses[200] + refused_by_all(caller)
    assert RATE <= through <= RATE + LATE
    # Another client of the same person has no rate of its own; another person has.
    assert Caller(running, "eager", "mcp-cli").statuses(2 * WORKERS) == {429: 2 * WORKERS}
    assert Caller(running, "modest").statuses(RATE // 2) == {200: RATE // 2}


def test_who_is_refused_is_told_when_to_come_back_and_the_audit_trail_says_why(running: Service) -> None:
    caller = Caller(running, "curious")
    caller.statuses(RATE)
    refused_by_all(caller)
    answer = caller.call("too-eager")
    assert answer.status == 429
    assert 1 <= int(answer.all("retry-after")[0]) <= 121
    assert answer.all("www-authenticate") == []  # other credentials would not help
    assert answer.all("cache-control") == ["no-store"]
    assert answer.json() == {
        "error": "too_many_requests",
        "error_description": "Too many requests of one caller. Wait as long as Retry-After says",
        "request_id": "too-eager",
    }
    until(lambda: '"too-eager"' in running.log.read_text(), 10, "the line of the refusal")
    lines = [json.loads(line) for line in running.log.read_text().splitlines() if '"too-eager"' in line]
    (line,) = [line for line in lines if line["event"] == "access_denied"]
    assert (line["reason"], line["status"], line["sub"], line["tool"]) == (
        "caller_rate_limited",
        429,
        "curious",
        "echo",
    )


def test_a_refused_call_costs_nothing_of_the_rate(running: Service) -> None:
    """Neither one without the scope nor one that was malformed: what is counted is what is let through."""
    caller = Caller(running, "clumsy")
    target, headers, _ = call_echo("mcp")
    token = make("ES256", [{"claims": {"sub": "clumsy"}}], running.world)
    headers.append(b"Authorization: Bearer " + token.encode())
    for _ in range(RATE):
        with connection(running.origin) as opened:
            opened.send(request("POST", target, headers, b"[]", host=running.host))
            assert opened.answer().status == 400
    assert caller.statuses(RATE // 2) == {200: RATE // 2}
