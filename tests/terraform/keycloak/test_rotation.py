"""Rotation as the README says it: edit `signing_keys`, apply, promote, apply. No call fails, also under a flood."""

import json
import os
from contextlib import ExitStack

import pytest

from tests.support.fixtures import ServiceStarter
from tests.support.flood import Flood
from tests.support.load import Load
from tests.support.rotation import DECLARED_PRIORITY, Tokens, signer
from tests.support.until import until
from tests.terraform.keycloak.conftest import Applied

LONG = bool(os.environ.get("SECURE_MCP_LONG"))
ROTATIONS = 20 if LONG else 1
RATE = 100
TTL_S = 2


class DeclaredKeys:
    """The variable `signing_keys` as an operator edits it: a new entry below the one that signs, then above it."""

    def __init__(self, applied: Applied) -> None:
        self._applied = applied
        self._keys = {"rs256-1": {"algorithm": "RS256"}, "es256-1": {"algorithm": "ES256"}}

    def publish(self, number: int) -> None:
        """Declare one more key that does not sign yet, and apply."""
        self._apply(number, DECLARED_PRIORITY - 1)

    def promote(self, number: int) -> None:
        """Let it sign, and apply."""
        self._apply(number, DECLARED_PRIORITY + number)

    def restore(self) -> None:
        """Leave the realm as the environment declares it; as the administrator, whom no key of this realm signs."""
        self._applied.apply(bootstrap=True)

    def _apply(self, number: int, priority: int) -> None:
        self._keys[f"rs256-{number + 1}"] = {"algorithm": "RS256", "priority": priority}
        self._applied.apply(f"-var=signing_keys={json.dumps(self._keys)}")


@pytest.mark.requirement("OPS-ROTATION")
@pytest.mark.parametrize("flooded", [False, True] if LONG else [True], ids=lambda on: "flooded" if on else "calm")
def test_no_call_fails_while_declared_keys_are_edited_and_applied(
    applied: Applied, start_service: ServiceStarter, flooded: bool
) -> None:
    keys, tokens, signers = DeclaredKeys(applied), Tokens(applied.realm), set()
    settings = {"SECURE_MCP_ISSUER": applied.realm.issuer, "SECURE_MCP_JWKS_TTL_SECONDS": str(TTL_S)}
    with start_service(**settings) as service, ExitStack() as block:
        service.process.wait_ready(60)
        url = f"{service.url}/api/v1/tools"
        block.callback(keys.restore)
        flood = block.enter_context(Flood(url, RATE)) if flooded else None
        load = block.enter_context(Load(url, tokens.next, RATE))
        for number in range(1, ROTATIONS + 1):
            keys.publish(number)
            served = sum(load.statuses.values()) + int(RATE * 1.5 * TTL_S)
            until(lambda least=served: sum(load.statuses.values()) >= least, 60, "the service to have renewed its keys")
            keys.promote(number)
            signers.add(signer(tokens.renew()))
    assert len(signers) == ROTATIONS, "each rotation had its own key"
    assert set(load.statuses) == {200}, load.statuses
    if flood:
        assert set(flood.statuses) == {401}, flood.statuses
        print(f"{sum(flood.statuses.values())} tokens of unknown keys meanwhile")
    print(f"{ROTATIONS} rotations by terraform apply, {sum(load.statuses.values())} calls, none failed")
