"""The move from one machine into a Swarm, as docs/scaling.md tells it: backup, restore, names."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from ops.containers.backup import IDENTITY, back_up
from ops.containers.environment import StackEnvironment, load_stack_environment
from ops.proof import service_account_token
from ops.swarm import up as swarm_up
from ops.swarm.restore import restore
from ops.swarm.values import FILE, read_values
from tests.faults.load import OpenLoad, Target
from tests.host.machine import docker
from tests.support import client
from tests.support.browser import Browser
from tests.support.login import CodeFlow, Person
from tests.support.oauth import claims_of, header_of, request_token
from tests.support.realm import answered
from tests.support.until import until
from tests.swarm.asking import TokenRequests
from tests.swarm.cluster import MCP, Cluster
from tests.swarm.conftest import RATE, RunningSwarm, names_at
from tests.swarm.figures import Figures
from tests.swarm.one_engine import make_person, one_engine, speaking_to

LEEWAY_S = 1  # a call that is due just then may carry either token


@dataclass(frozen=True)
class Old:
    """The machine that is left, and what people hold from it."""

    environment: StackEnvironment
    address: str
    person: Person
    session: dict[str, str]
    offline: dict[str, str]
    keys: dict[str, object]


@pytest.fixture(scope="module")
def empty(prepared: StackEnvironment, cluster: Cluster) -> StackEnvironment:
    """Make the Swarm empty by what docs/scaling.md says; the nodes have the images already, as it advises."""
    swarm_up.destroy(prepared)
    cluster.manager.docker("volume", "rm", "--force", prepared.container("postgres"))
    values = read_values(prepared)
    for part, digest in values["image_digests"].items():
        name = {"keycloak": values["keycloak_image"], "service": values["service_image"]}.get(part)
        for node in cluster.nodes if name else ():
            node.docker("pull", "--quiet", f"{values['registry']}/{name.rpartition(':')[0]}@{digest}")
    return prepared


@pytest.fixture(scope="module")
def old(empty: StackEnvironment, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    """One machine with a person who is logged in, on this computer's engine."""
    address, state = cluster.manager.machine.gateway, tmp_path_factory.mktemp("one-engine")
    with one_engine(state, address, read_values(empty)) as environment:
        client.TRUST.load_verify_locations(environment.authority)
        with speaking_to(state, names_at(address)):
            # As on a machine that has run for longer than its realm is old: each worker has taken up the realm's keys.
            docker("restart", environment.container("service"))
            until(lambda: healthy(environment, "service"), 120, "the service is healthy")
            person = make_person(environment)
            session, offline = (log_in(environment, person, scope) for scope in ("mcp:read", "mcp:read offline_access"))
            yield Old(environment, address, person, session, offline, keys_of(environment))


def healthy(environment: StackEnvironment, part: str) -> bool:
    """Say whether a container on this computer's engine is healthy."""
    said = docker("container", "inspect", "--format", "{{.State.Health.Status}}", environment.container(part))
    return said.strip() == "healthy"


def log_in(environment: StackEnvironment, person: Person, scope: str) -> dict[str, str]:
    """Log somebody in through the pages of Keycloak and return the tokens."""
    flow = CodeFlow(environment.issuer, scope=scope)
    with Browser(environment.keycloak_url) as browser:
        page = flow.log_in(browser, person, consent=None)
        page = browser.answer_consent(page) if page.form("accept") else page
        return answered(flow.exchange(page.answer["code"]))


def refreshed(environment: StackEnvironment, tokens: dict[str, str]) -> dict[str, str]:
    """Trade a refresh token for new tokens; asked once."""
    endpoint, old = environment.token_endpoint, tokens["refresh_token"]
    return answered(request_token(endpoint, "refresh_token", client_id="mcp-cli", refresh_token=old))


def keys_of(environment: StackEnvironment) -> dict[str, object]:
    """Return the realm's published keys by their names."""
    answer = client.get(f"{environment.issuer}/protocol/openid-connect/certs")
    return {key["kid"]: key for key in answer.json()["keys"]}


def calls(cluster: Cluster, token: str) -> set[int]:
    """Call a tool through each node's Nginx."""
    headers, names = {"Authorization": f"Bearer {token}", "Host": MCP}, {"sni_hostname": MCP}
    with client.Client() as http:
        urls = [f"https://{node.address}/api/v1/tools/echo" for node in cluster.nodes]
        return {http.post(url, json={"text": "x"}, headers=headers, extensions=names).status_code for url in urls}


@pytest.mark.requirement("SWARM-MOVE")
def test_an_environment_moves_into_the_swarm(
    old: Old, empty: StackEnvironment, cluster: Cluster, figures: Figures, tmp_path: Path
) -> None:
    nodes = tuple(node.address for node in cluster.nodes)
    # A state folder as on another machine: the backup brings the secrets, and the site's values are the Swarm's.
    shutil.copyfile(empty.state / FILE, tmp_path / FILE)
    with speaking_to(old.environment.state, names_at(old.address)), figures.time("move: backup"):
        backup = back_up(old.environment)
        token = service_account_token(old.environment, "mcp-automation")
        ends = time.monotonic() + claims_of(token)["exp"] - time.time()
    target = Target(443, old.environment.authority, MCP, (old.address, *nodes))
    with (
        OpenLoad(target, token, RATE) as load,
        speaking_to(tmp_path, names_at(*nodes), cluster.environment["DOCKER_HOST"]) as fresh,
    ):
        docker("stop", old.environment.container("keycloak"))
        stopped = time.monotonic()
        with TokenRequests(RunningSwarm(old.environment, cluster)) as tokens:
            restore(fresh, backup, old.environment.secrets / IDENTITY)
        proved = time.monotonic()
        load.use(service_account_token(load_stack_environment(), "mcp-automation"))
        renewed = time.monotonic() + LEEWAY_S
        load.more(40)
        docker("stop", old.environment.container("edge"))
        load.more(40)
        moved(old, cluster, token, alive=time.monotonic() < ends)
    figures.add(
        "move: until a token could be had again, proved", f"{tokens.first - stopped:.0f} s, {proved - stopped:.0f} s"
    )
    lived, later = load.failed(before=min(ends, proved) - LEEWAY_S), load.failed(since=renewed)
    figures.add(
        "move: calls, failed with a live token, failed with one of the Swarm", f"{len(load.calls)}, {lived}, {later}"
    )
    figures.add("move: seconds in which no token lived any more", f"{max(0.0, tokens.first - ends):.0f} s")
    assert (lived, later) == (0, 0), load.statuses()


def moved(old: Old, cluster: Cluster, token: str, *, alive: bool) -> None:
    """Check what came along: keys, the person with password and sessions, and tokens of before while they live."""
    assert keys_of(old.environment) == old.keys
    jwt.decode(token, KeySet.import_key_set({"keys": list(old.keys.values())}), [header_of(token)["alg"]])
    if alive:
        assert calls(cluster, token) == {200}
    for tokens in (old.session, old.offline):
        fresh = refreshed(old.environment, tokens)
        assert claims_of(fresh["access_token"])["sid"] == claims_of(tokens["access_token"])["sid"]
        assert calls(cluster, fresh["access_token"]) == {200}
    assert calls(cluster, log_in(old.environment, old.person, "mcp:read")["access_token"]) == {200}
