"""Terraform applied for real: an empty second plan, no secret anywhere, the realm of the lock file, destroyed."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.realm import export_realm, normalise, read_lock
from tests.support.changes import client_of
from tests.support.oauth import audiences_of
from tests.support.realm import Realm
from tests.support.terraform import PLAN
from tests.terraform.keycloak.conftest import Applied

DIFFERENCES = Path(__file__).with_name("differences.yaml")


@pytest.mark.requirement("IAC-APPLY")
def test_the_second_plan_is_empty_and_so_is_the_one_after_another_apply(applied: Applied) -> None:
    code, output = applied.plan_code()
    assert code == 0, output
    assert "0 added, 0 changed, 0 destroyed" in applied.apply()
    code, output = applied.plan_code()
    assert code == 0, output


@pytest.mark.requirement("IAC-APPLY", "REALM-AUDIENCE")
def test_the_applied_realm_gives_tokens_for_the_service(applied: Applied, public_url: str) -> None:
    assert f"{public_url}/mcp" in audiences_of(applied.realm.token_for("mcp-automation"))


@pytest.mark.requirement("IAC-SECRECY")
def test_no_secret_is_in_state_or_plan(applied: Applied) -> None:
    assert applied.plan_code("-refresh-only")[0] in {0, 2}
    texts = dict(files_of(applied.root.path))
    texts["state as JSON"] = str(applied.root.state())
    texts["plan as JSON"] = str(applied.root.planned())
    assert any("tfstate" in name for name in texts)
    assert any(PLAN in name for name in texts)
    wanted = dict(applied.realm.secrets) | {"bootstrap-admin": applied.bootstrap_secret}
    found = [f"{owner} in {name}" for name, text in texts.items() for owner, secret in wanted.items() if secret in text]
    assert not found


def files_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every file that Terraform wrote, and what is inside the plan, which is a zip archive."""
    for path in folder.rglob("*"):
        if path.is_file() and "providers" not in path.parts:
            yield str(path), path.read_text(encoding="latin-1")
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        yield f"{path}!{name}", archive.read(name).decode("latin-1")


@pytest.mark.requirement("IAC-LOCK-FILE")
def test_the_lock_file_is_the_applied_realm(applied: Applied, public_url: str) -> None:
    live = normalise(export_realm(applied.realm.admin, applied.realm.name), public_url)
    stale = differences(read_lock(), live)
    assert not stale, f"run `make up` with Terraform, then `make snapshot`, and review the diff: {stale}"


@pytest.mark.requirement("IAC-LOCK-FILE")
def test_an_import_of_the_lock_file_gives_the_applied_realm(applied: Applied, twin: Realm, public_url: str) -> None:
    exports = [normalise(export_realm(realm.admin, realm.name), public_url) for realm in (applied.realm, twin)]
    named = yaml.safe_load(DIFFERENCES.read_text(encoding="utf-8"))["differences"]
    assert all(row["path"] and row["reason"] for row in named)
    found = differences(*exports)
    unnamed = {path: values for path, values in found.items() if path not in {row["path"] for row in named}}
    assert not unnamed
    gone = {row["path"] for row in named} - found.keys()
    assert not gone, f"take these out of {DIFFERENCES.name}, they are no difference any more: {gone}"


def differences(before: Any, after: Any, where: str = "") -> dict[str, tuple[Any, Any]]:
    """Return by path what is not the same."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted(before.keys() | after.keys())
        return {
            path: values
            for key in keys
            for path, values in differences(before.get(key), after.get(key), f"{where}/{key}").items()
        }
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return {
            path: values
            for index, pair in enumerate(zip(before, after, strict=True))
            for path, values in differences(*pair, f"{where}/{name_of(pair[0], index)}").items()
        }
    return {} if before == after else {where: (before, after)}


def name_of(entry: Any, index: int) -> str:
    """Return what to call an entry of a list."""
    names = ("clientId", "alias", "name", "clientScope")
    return (
        next((str(entry[name]) for name in names if name in entry), str(index))
        if isinstance(entry, dict)
        else str(index)
    )


@pytest.mark.requirement("IAC-APPLY", "IAC-LOCK-FILE")
def test_a_change_by_hand_is_seen_and_taken_back(applied: Applied) -> None:
    realm = applied.realm
    client = client_of(realm, "mcp-cli")
    evil = "https://evil.example/*"
    changed = client | {"fullScopeAllowed": True, "redirectUris": [*client["redirectUris"], evil]}
    realm.admin.put(f"/{realm.name}/clients/{client['id']}", json=changed)
    code, output = applied.plan_code()
    assert (code, evil in output, "full_scope_allowed" in output) == (2, True, True), output
    assert "0 added, 1 changed, 0 destroyed" in applied.apply()
    after = client_of(realm, "mcp-cli")
    assert (after["fullScopeAllowed"], evil in after["redirectUris"]) == (False, False)
