"""The signing key changes under load and no call fails, also while strangers flood the service with unknown key ids."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.fixtures import ServiceStarter
from tests.support.flood import Flood
from tests.support.http import Service
from tests.support.load import Load
from tests.support.realm import Stack
from tests.support.rotation import SigningKeys, Tokens, signer
from tests.support.until import until

TTL_S = 2
RATE = 100
ROTATIONS = 20 if os.environ.get("SECURE_MCP_LONG") else 3

pytestmark = pytest.mark.requirement("OPS-ROTATION")


@pytest.fixture
def signing_keys(stack: Stack) -> Iterator[SigningKeys]:
    keys = SigningKeys(stack)
    yield keys
    keys.remove_all()


@pytest.fixture
def brisk(start_service: ServiceStarter) -> Iterator[Service]:
    """A service that renews its keys every other second, so that a test need not wait for minutes."""
    with start_service(SECURE_MCP_JWKS_TTL_SECONDS=str(TTL_S)) as service:
        service.process.wait_ready(60)
        yield service


@pytest.mark.parametrize("flooded", [False, True], ids=["calm", "flooded"])
def test_no_call_fails_while_keys_are_published_and_promoted(
    stack: Stack, brisk: Service, signing_keys: SigningKeys, flooded: bool
) -> None:
    tokens, url, signers = Tokens(stack), f"{brisk.url}/api/v1/tools", set()
    with ExitStack() as block:
        flood = block.enter_context(Flood(url, RATE)) if flooded else None
        load = block.enter_context(Load(url, tokens.next, RATE))
        for _ in range(ROTATIONS):
            provider = signing_keys.publish()
            served = sum(load.statuses.values()) + int(RATE * 1.5 * TTL_S)
            until(
                lambda served=served: sum(load.statuses.values()) >= served, 60, "the service to have renewed its keys"
            )
            signing_keys.promote(provider)
            signers.add(signer(tokens.renew()))
    assert len(signers) == ROTATIONS, "each rotation had its own key"
    assert set(load.statuses) == {200}, load.statuses
    assert sum(load.statuses.values()) >= ROTATIONS * RATE * TTL_S
    if flood:
        assert set(flood.statuses) == {401}, flood.statuses


def test_an_unannounced_key_is_found_on_first_use(stack: Stack, brisk: Service, signing_keys: SigningKeys) -> None:
    tokens = Tokens(stack)
    with Load(f"{brisk.url}/api/v1/tools", tokens.next, RATE) as load:
        before = signer(tokens.all[0])
        signing_keys.rotate_at_once()
        assert signer(tokens.renew()) != before
        served = sum(load.statuses.values()) + RATE
        until(lambda: sum(load.statuses.values()) >= served, 30, "another hundred calls")
    assert set(load.statuses) == {200}, load.statuses


def test_a_disabled_key_is_refused_within_the_life_of_the_set(
    stack: Stack, brisk: Service, signing_keys: SigningKeys
) -> None:
    provider = signing_keys.rotate_at_once()
    token = stack.token_for("mcp-reader")
    assert brisk.use("echo", {"text": "x"}, token).status_code == 200
    signing_keys.disable(provider)
    until(
        lambda: brisk.use("echo", {"text": "x"}, token).status_code == 401, TTL_S + 3, "the refusal of a disabled key"
    )
