"""The drill: backup, everything destroyed, restored into an empty stack; keys, tokens and realm are the same."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.containers import up
from ops.containers.backup import IDENTITY, back_up, realm_export
from ops.containers.engine import exists
from ops.containers.environment import load_stack_environment
from ops.containers.restore import restore
from ops.environment import REALM
from ops.errors import OperatorError
from tests.stack.conftest import RunningStack


def signing_keys(stack: RunningStack, client: httpx.Client) -> dict[str, Any]:
    answer = client.get(f"{stack.environment.keycloak_url}/realms/{REALM}/protocol/openid-connect/certs")
    return {key["kid"]: key for key in answer.json()["keys"]}


@pytest.mark.requirement("STACK-BACKUP")
def test_restore_into_an_empty_stack(stack: RunningStack, https: httpx.Client, tmp_path: Path) -> None:
    keys, before = signing_keys(stack, https), realm_export(stack.environment)
    backup = back_up(stack.environment)
    identity = tmp_path / "identity"
    identity.write_bytes((stack.environment.secrets / IDENTITY).read_bytes())
    assert backup.stat().st_mode & 0o377 == 0
    assert backup.read_bytes().startswith(b"age-encryption.org/v1")
    with pytest.raises(OperatorError, match="destroy first"):
        restore(stack.environment, backup, identity)
    token = stack.token()
    up.destroy(stack.environment)
    assert not exists("volume", stack.container("postgres"))

    restore(load_stack_environment(), backup, identity)

    assert signing_keys(stack, https) == keys
    assert stack.echo(https, token).status_code == 200  # issued before the disaster
    assert realm_export(stack.environment) == before
    for root in (stack.docker_root(), stack.realm_root()):
        root.prepare()
        assert root.plan() is False


@pytest.mark.requirement("STACK-BACKUP")
def test_a_wrong_identity_and_a_damaged_file_are_refused(stack: RunningStack, tmp_path: Path) -> None:
    backup = back_up(stack.environment)
    stranger = tmp_path / "stranger"
    import pyrage

    stranger.write_text(str(pyrage.x25519.Identity.generate()), encoding="ascii")
    with pytest.raises(OperatorError, match="cannot be decrypted"):
        restore(stack.environment, backup, stranger)
    damaged = tmp_path / "damaged.tar.age"
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(OperatorError, match="cannot be decrypted"):
        restore(stack.environment, damaged, stack.environment.secrets / IDENTITY)
