"""What a restore refuses by looking at the file alone, before anything is touched."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pyrage
import pytest

from ops.containers.archive import keep_realm_state, lay_secrets, opened
from ops.containers.backup import FORMAT, checksums
from ops.containers.environment import StackEnvironment
from ops.containers.images import KEYCLOAK_VERSION
from ops.errors import ExitCode, OperatorError

pytestmark = pytest.mark.requirement("BACKUP-REFUSED")

VERSIONS = {"secure-mcp": "0.1.0", "keycloak": KEYCLOAK_VERSION, "postgresql": "17.10"}
MEMBERS = {"keycloak.dump": "PGDMP", "keycloak.tfstate": "{}", "realm.json": "{}", "secret.redis_password": "old"}


@pytest.fixture
def environment(tmp_path: Path) -> StackEnvironment:
    state = tmp_path / "state"
    state.mkdir()
    return StackEnvironment("staging", state, 8000, 8080, 9000)


class Archive:
    """A backup that a test bends: `write` encrypts what is in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "content"
        self.folder.mkdir()
        self.file, self.identity = folder / "a.tar.age", folder / "identity"
        self._key = pyrage.x25519.Identity.generate()
        self.identity.write_text(f"{self._key}\n")
        for name, text in MEMBERS.items():
            (self.folder / name).write_text(text)

    def write(self, **other: Any) -> None:
        sums = checksums(self.folder)
        manifest = {"format": FORMAT, "environment": "staging", "created": "now", "versions": VERSIONS, "sha256": sums}
        self.write_manifest(json.dumps(manifest | other))

    def write_manifest(self, text: str) -> None:
        (self.folder / "manifest.json").write_text(text)
        self.encrypt()

    def encrypt(self) -> None:
        plain = self.file.with_suffix("")
        with tarfile.open(plain, "w") as tar:
            for member in self.folder.iterdir():
                tar.add(member, arcname=member.name)
        pyrage.encrypt_file(str(plain), str(self.file), [self._key.to_public()])


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def refused(environment: StackEnvironment, archive: Archive, words: str) -> OperatorError:
    with pytest.raises(OperatorError, match=words) as error, opened(environment, archive.file, archive.identity):
        pytest.fail("it was opened")
    assert error.value.code == ExitCode.USAGE
    assert error.value.next_step
    return error.value


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"environment": "prod"}, "backup of prod, the environment is staging"),
        ({"format": FORMAT + 1}, f"has format {FORMAT + 1}, this release reads {FORMAT}"),
        ({"versions": VERSIONS | {"keycloak": "99.0.0"}}, "of Keycloak 99.0.0"),
        ({"versions": VERSIONS | {"postgresql": "18.1"}}, "of PostgreSQL 18.1, this is 17"),
        ({"versions": {}}, "of Keycloak None"),
        ({"sha256": {}}, "a checksum differs"),
        ({"versions": "new"}, "no backup: its manifest is not"),
        ({"format": "1"}, "no backup: its manifest is not"),
    ],
)
def test_a_backup_that_does_not_fit_is_refused(
    environment: StackEnvironment, archive: Archive, other: dict[str, Any], words: str
) -> None:
    archive.write(**other)
    refused(environment, archive, words)


def test_a_changed_member_is_refused(environment: StackEnvironment, archive: Archive) -> None:
    archive.write()
    (archive.folder / "keycloak.dump").write_text("another")
    archive.encrypt()
    refused(environment, archive, "a checksum differs")


def test_a_missing_member_is_refused(environment: StackEnvironment, archive: Archive) -> None:
    (archive.folder / "keycloak.dump").unlink()
    archive.write()
    refused(environment, archive, r"lacks keycloak\.dump")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '"text"'])
def test_what_has_no_manifest_of_ours_is_no_backup(environment: StackEnvironment, archive: Archive, text: str) -> None:
    archive.write_manifest(text)
    refused(environment, archive, "no backup")


def test_an_archive_without_a_manifest_is_no_backup(environment: StackEnvironment, archive: Archive) -> None:
    archive.encrypt()
    refused(environment, archive, "no backup")


def test_a_file_that_is_not_encrypted_is_refused(environment: StackEnvironment, archive: Archive) -> None:
    archive.file.write_bytes(b"PGDMP")
    refused(environment, archive, "cannot be decrypted")


@pytest.mark.parametrize("content", ["", "no key\n", "AGE-SECRET-KEY-1BROKEN\n", "\N{SNOWMAN}"])
def test_an_identity_that_is_none_is_refused(environment: StackEnvironment, archive: Archive, content: str) -> None:
    archive.write()
    archive.identity.write_text(content, encoding="utf-8")
    refused(environment, archive, "cannot be decrypted")


def test_another_identity_is_refused(environment: StackEnvironment, archive: Archive) -> None:
    archive.write()
    archive.identity.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    refused(environment, archive, "cannot be decrypted")


def test_a_good_backup_lays_its_secrets_and_the_state_of_the_realm(
    environment: StackEnvironment, archive: Archive
) -> None:
    archive.write()
    with opened(environment, archive.file, archive.identity) as members:
        lay_secrets(environment, members)
        keep_realm_state(environment, members)
    secret = environment.secrets / "redis_password"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("old", 0o400)
    assert (environment.state / "terraform/terraform/keycloak/terraform.tfstate").read_text() == "{}"
    assert not members.exists(), "what was decrypted does not stay"


def test_secrets_that_differ_are_kept_and_none_is_laid(environment: StackEnvironment, archive: Archive) -> None:
    (archive.folder / "secret.a").write_text("a")
    archive.write()
    environment.secrets.mkdir()
    (environment.secrets / "redis_password").write_text("new")
    with (
        opened(environment, archive.file, archive.identity) as members,
        pytest.raises(OperatorError, match="redis_password differs from the backup's"),
    ):
        lay_secrets(environment, members)
    assert [(file.name, file.read_text()) for file in environment.secrets.iterdir()] == [("redis_password", "new")]
