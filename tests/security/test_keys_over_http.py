"""Rows of the table that need an authorization server in a certain state: away, changed, with one key."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.security.conftest import REALM, Bench
from tests.security.issuer import FakeIssuer, serving
from tests.security.keyring import ALGORITHMS, jwk
from tests.security.steps import make
from tests.security.system import Service, free_port, service
from tests.security.verdict import fault
from tests.security.wire import Answer, call_echo, connection, request
from tests.support.until import until

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS")

UNKNOWN = [{"header": {"kid": "nobody"}}]


def call(running: Service, token: str) -> Answer:
    """Call the tool `echo`."""
    target, headers, body = call_echo("mcp")
    headers.append(b"Authorization: Bearer " + token.encode())
    with connection(running.origin) as opened:
        opened.send(request("POST", target, headers, body, host=running.host))
        return opened.answer()


def faults(running: Service, expected: str, *tokens: str) -> list[str]:
    """Return how the answers to these tokens differ from what is expected."""
    return [found for token in tokens if (found := fault(expected, call(running, token), running))]


def good(running: Service, algorithm: str, *steps: dict[str, object]) -> str:
    """Return a token that is good but for these steps."""
    return make(algorithm, steps, running.world)


@pytest.fixture(scope="module")
def changing() -> Iterator[FakeIssuer]:
    """An authorization server that tests may break."""
    with serving(FakeIssuer()) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(changing: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose keys are due for renewal every second."""
    changing.realms[REALM] = [jwk(name, name, alg=name, use="sig") for name in ALGORITHMS]
    with service(changing.issuer(REALM), tmp_path_factory.mktemp("hasty"), JWKS_TTL_SECONDS="1") as running:
        yield running


@pytest.fixture(scope="module")
def single(changing: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose realm has one key, that only one client may call, and whose Redis is away."""
    changing.realms["single"] = [jwk("RS256", "RS256", alg="RS256", use="sig")]
    settings = {"ALLOWED_CLIENTS": "mcp-cli", "REDIS_URL": f"redis://localhost:{free_port()}/0"}
    with service(changing.issuer("single"), tmp_path_factory.mktemp("single"), **settings) as running:
        yield running


@pytest.mark.requirement("RFC6750-3.1-TOKEN")
def test_without_keys_nothing_is_judged(tmp_path: Path) -> None:
    """Row 108: 503 with Retry-After for whatever only a key can judge; what is no token at all is still refused."""
    with service(f"http://localhost:{free_port()}/realms/{REALM}", tmp_path, ready=False) as running:
        for algorithm in ALGORITHMS:
            token = good(running, algorithm)
            flipped = good(running, algorithm, {"signature": "flipped"})
            assert faults(running, "U", token, flipped, good(running, algorithm, *UNKNOWN)) == []
            assert faults(running, "B malformed_token", token + ".x") == []
            assert faults(running, "B wrong_algorithm", good(running, algorithm, {"header": {"alg": "none"}})) == []
        assert running.status("/livez") == 200
        assert running.status("/readyz") == 503


@pytest.mark.requirement("RFC7517-KEYS")
def test_an_outage_is_served_from_stale_keys(hasty: Service, changing: FakeIssuer) -> None:
    """Rows 109 and 110: known keys go on; of an unknown one nothing can be said, within the time of one fetch."""
    tokens = [good(hasty, algorithm) for algorithm in ALGORITHMS]
    assert faults(hasty, "OK", *tokens) == []
    before = hasty.events("jwks_fetch_failed")
    changing.down = True
    try:
        # The second failure comes after the first pause of 2 s: by then the keys are older than their second.
        until(lambda: hasty.events("jwks_fetch_failed") >= before + 2, 20, "two failed renewals")
        assert faults(hasty, "OK", *tokens, *(good(hasty, algorithm) for algorithm in ALGORITHMS)) == []
        began = time.monotonic()
        assert faults(hasty, "U", good(hasty, "ES256", *UNKNOWN)) == []
        assert time.monotonic() - began < 5
        assert faults(hasty, "B bad_signature", good(hasty, "ES256", {"signature": "flipped"})) == []
    finally:
        changing.down = False
    until(lambda: not faults(hasty, "B unknown_key", good(hasty, "ES256", *UNKNOWN)), 45, "judgement to come back")


@pytest.mark.requirement("RFC7517-KEYS")
def test_a_removed_key_is_refused_within_the_ttl(hasty: Service, changing: FakeIssuer) -> None:
    """Row 50: also for a token that was accepted a moment ago."""
    shown, unseen = good(hasty, "ES256"), good(hasty, "ES256", {"claims": {"jti": "other"}})
    assert faults(hasty, "OK", shown) == []
    changing.realms[REALM] = [key for key in changing.realms[REALM] if key["kid"] != "ES256"]
    until(lambda: not faults(hasty, "B unknown_key", unseen), 10, "the key to be gone")
    assert faults(hasty, "B unknown_key", shown) == []
    assert faults(hasty, "OK", good(hasty, "EdDSA"), good(hasty, "RS256")) == []


@pytest.mark.requirement("RFC7517-KEYS")
def test_other_material_under_a_known_kid_replaces_it(hasty: Service, changing: FakeIssuer) -> None:
    """The same kid with new numbers: the old key must stop and the new one work, as with any rotation."""
    old, new = good(hasty, "EdDSA"), good(hasty, "EdDSA", {"sign_with": "attacker-EdDSA as EdDSA"})
    assert faults(hasty, "OK", old) == []
    assert faults(hasty, "B bad_signature", new) == []
    rest = [key for key in changing.realms[REALM] if key["kid"] != "EdDSA"]
    changing.realms[REALM] = [*rest, jwk("attacker-EdDSA", "EdDSA", alg="EdDSA", use="sig")]
    until(lambda: not faults(hasty, "OK", new), 10, "the new key to be taken")
    assert faults(hasty, "B bad_signature", old) == []


def test_one_key_is_no_default(single: Service) -> None:
    """Row 48: a token without kid names no key, even where there is only one."""
    mine = {"claims": {"azp": "mcp-cli"}}
    assert faults(single, "B unknown_key", good(single, "RS256", mine, {"header": {"kid": "$absent"}})) == []
    assert faults(single, "B unknown_key", good(single, "RS256", mine, {"header": {"kid": ""}})) == []
    assert faults(single, "OK", good(single, "RS256", mine)) == []


@pytest.mark.requirement("RFC9068-4")
def test_only_listed_clients_call(single: Service) -> None:
    """Row 78."""
    for client in ("mcp-automation", "MCP-CLI", "mcp-cli2"):
        token = good(single, "RS256", {"claims": {"azp": client}})
        assert faults(single, "B client_not_allowed", token) == []
    sly = {"claims": {"azp": "mcp-automation", "client_id": "mcp-cli"}}
    assert faults(single, "B client_not_allowed", good(single, "RS256", sly)) == []
    assert faults(single, "OK", good(single, "RS256", {"claims": {"azp": "mcp-cli"}})) == []


def test_without_redis_the_memory_serves(single: Service) -> None:
    """Row 112: Redis is a cache of keys; without it calls are judged all the same."""
    assert single.events("jwks_cache_failed") > 0
    assert single.status("/readyz") == 200
    assert faults(single, "OK", good(single, "RS256", {"claims": {"azp": "mcp-cli"}})) == []


@pytest.mark.requirement("RFC7517-KEYS")
def test_unknown_key_ids_cause_few_fetches(bench: Bench) -> None:
    """Row 111: 200 at once cost at most two fetches, none waits longer than 2 s, and good tokens go on meanwhile."""
    running = bench.service
    before, began = bench.issuer.certs_fetches(REALM), time.monotonic()
    bogus = [good(running, "ES256", {"header": {"kid": f"nobody-{number}"}}) for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        refused = pool.submit(lambda: list(pool.map(lambda token: faults(running, "B unknown_key", token), bogus)))
        assert faults(running, "OK", *(good(running, algorithm) for algorithm in ALGORITHMS)) == []
        assert [found for found in refused.result() if found] == []
    seconds = time.monotonic() - began
    assert bench.issuer.certs_fetches(REALM) - before <= 3 + seconds / 30
    assert seconds < 30
