"""What belongs to a person outlives a node's Keycloak, and ends on every node at once when it is revoked."""

import time
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from ops.admin import AdminClient
from ops.environment import REALM
from ops.secrets import BOOTSTRAP_ADMIN, DEMO_USER
from ops.swarm.door import open_door
from ops.users import ensure_demo_user
from tests.support import client
from tests.support.browser import Browser
from tests.support.login import CodeFlow, Person
from tests.support.oauth import claims_of, header_of, request_token
from tests.support.realm import answered
from tests.support.until import until
from tests.swarm.conftest import RunningSwarm
from tests.swarm.figures import Figures

REVOKED_S = 5
REPLACED_S = 720  # as terraform waits for Keycloak
CALLS = 30  # round robin over three edges and three tasks: each task has its turn at each edge


@pytest.fixture(scope="module")
def admin(swarm: RunningSwarm) -> Iterator[AdminClient]:
    """Keycloak's administration, through the operator's door."""
    with (
        open_door(swarm.environment),
        AdminClient(swarm.environment.operator_url, "master", BOOTSTRAP_ADMIN, swarm.secret(BOOTSTRAP_ADMIN)) as admin,
    ):
        yield admin


@pytest.fixture(scope="module")
def person(swarm: RunningSwarm, admin: AdminClient) -> Person:
    client.TRUST.load_verify_locations(swarm.environment.authority)
    ensure_demo_user(admin, REALM, swarm.secret(DEMO_USER))
    return Person("demo", swarm.secret(DEMO_USER))


def replaced(swarm: RunningSwarm, dead: str) -> bool:
    """Say whether two Keycloak are healthy, and a container that was killed is none of them."""
    alive = {container for _, container in swarm.containers("keycloak")}
    return dead not in alive and len(alive) == 2 and swarm.running("keycloak") == 2


def log_in(swarm: RunningSwarm, person: Person) -> dict[str, str]:
    """Log somebody in through the pages of Keycloak and return the tokens."""
    flow = CodeFlow(swarm.environment.issuer)
    with Browser(swarm.environment.keycloak_url) as browser:
        page = flow.log_in(browser, person, consent=None)
        page = browser.answer_consent(page) if page.form("accept") else page
        return answered(flow.exchange(page.answer["code"]))


def statuses(swarm: RunningSwarm, http: httpx.Client, token: str) -> set[int]:
    """Call a tool through each node's Nginx, on new connections, so that each task of the service has its turn."""
    found = set()
    host = swarm.environment.public_url.removeprefix("https://")
    headers = {"Authorization": f"Bearer {token}", "Host": host, "Connection": "close"}
    for node in swarm.cluster.nodes:
        for _ in range(CALLS // len(swarm.cluster.nodes)):
            url, names = f"https://{node.address}/api/v1/tools/echo", {"sni_hostname": host}
            found.add(http.post(url, json={"text": "x"}, headers=headers, extensions=names).status_code)
    return found


@pytest.mark.requirement("SWARM-REVOCATION")
def test_a_revoked_session_is_refused_on_every_node(
    swarm: RunningSwarm, figures: Figures, person: Person, admin: AdminClient
) -> None:
    ended, other = (log_in(swarm, person)["access_token"] for _ in range(2))
    with swarm.client() as http:
        assert statuses(swarm, http, ended) == {200}
        admin.delete(f"/{REALM}/sessions/{claims_of(ended)['sid']}")
        began = time.monotonic()
        until(lambda: statuses(swarm, http, ended) == {401}, REVOKED_S, "the refusal by every task, at every edge")
        figures.add("a revoked session is refused by every task at every node", f"{time.monotonic() - began:.1f} s")
        assert statuses(swarm, http, other) == {200}, "another session of the person lives on"


@pytest.mark.requirement("SWARM-SESSIONS")
def test_sessions_survive_the_death_of_each_keycloak_in_turn(
    swarm: RunningSwarm, figures: Figures, person: Person
) -> None:
    tokens = log_in(swarm, person)
    for node, container in list(swarm.containers("keycloak")):
        node.docker("kill", container)
        began = time.monotonic()
        # Rotation: each refresh token counts once, so a lost answer would end the session.
        tokens = answered(refresh(swarm, tokens))
        assert claims_of(tokens["access_token"])["sid"]
        figures.add(f"a refresh after the kill of Keycloak on {node.name[-1]}", f"{time.monotonic() - began:.1f} s")
        until(partial(replaced, swarm, container), REPLACED_S, "two healthy Keycloak again")
    answered(refresh(swarm, tokens))


@pytest.mark.requirement("SWARM-KEYS")
def test_a_new_signing_key_reaches_every_node(swarm: RunningSwarm, figures: Figures, admin: AdminClient) -> None:
    old = swarm.token()
    config = {"priority": ["300"], "enabled": ["true"], "active": ["true"], "keySize": ["2048"], "algorithm": ["RS256"]}
    realm = admin.get(f"/{REALM}")["id"]
    provider = {"name": "swarm-rotation", "providerId": "rsa-generated", "parentId": realm, "config": config}
    kind = {"providerType": "org.keycloak.keys.KeyProvider"}
    with swarm.load() as load:
        made = admin.post(f"/{REALM}/components", json=provider | kind).headers["location"].rpartition("/")[2]
        try:
            new = swarm.token()
            assert header_of(new)["kid"] != header_of(old)["kid"]
            load.use(new)
            with swarm.client() as http:
                assert statuses(swarm, http, new) == {200}
                assert statuses(swarm, http, old) == {200}
            load.more(40)
        finally:
            admin.delete(f"/{REALM}/components/{made}")
    figures.add("a signing key that nobody was told of: calls, failed", f"{len(load.calls)}, {load.failed()}")
    assert load.failed() == 0, load.statuses()


def refresh(swarm: RunningSwarm, tokens: dict[str, str]) -> httpx.Response:
    """Trade the refresh token for new tokens; asked once."""
    return request_token(
        swarm.environment.token_endpoint, "refresh_token", client_id="mcp-cli", refresh_token=tokens["refresh_token"]
    )
