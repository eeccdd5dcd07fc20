"""`secure-mcp backup`: everything that an empty machine needs to become this environment again, in one encrypted file.

A consistent dump of Keycloak's database (signing keys and people are in it), the realm as a normalised export,
Terraform's state of the realm, the secret files, versions and checksums; encrypted with age.
"""

import datetime as dt
import hashlib
import json
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyrage  # type: ignore[import-untyped]

from ops.admin import AdminClient
from ops.containers.database import DUMP, PASSWORD_FILE
from ops.containers.engine import docker
from ops.containers.environment import StackEnvironment
from ops.containers.images import KEYCLOAK_VERSION
from ops.environment import REALM
from ops.errors import OperatorError
from ops.locks import exclusive
from ops.normalise import normalise
from ops.output import note, short, step
from ops.realm import export_realm
from ops.secrets import read_secret
from ops.trust import trust_authority
from service import __version__

IDENTITY = "backup.agekey"
RECIPIENTS = "backup.recipients"
FORMAT = 1
KEEP = {"daily": 7, "weekly": 4, "monthly": 12}
_STAMP = "%Y%m%dT%H%M%SZ"


def back_up(environment: StackEnvironment) -> Path:
    """Write a backup and prune old ones; the stack goes on working meanwhile.

    Returns:
        The encrypted file.

    Raises:
        OperatorError: the database or Keycloak does not answer.
    """
    recipients = ensure_recipients(environment)
    folder = environment.state / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"secure-mcp-{environment.name}-{dt.datetime.now(dt.UTC):{_STAMP}}.tar.age"
    with (
        exclusive(environment.run / "backup.lock", "makes a backup"),
        tempfile.TemporaryDirectory(prefix=".backup-", dir=environment.state) as scratch,
    ):
        members = Path(scratch) / "members"
        members.mkdir()
        with step("dump the database"):
            (members / "keycloak.dump").write_bytes(dump(environment))
        (members / "realm.json").write_text(
            json.dumps(realm_export(environment), indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        state = environment.state / "terraform" / "terraform" / "keycloak" / "terraform.tfstate"
        (members / "keycloak.tfstate").write_bytes(state.read_bytes())
        for secret in _secret_files(environment):
            (members / f"secret.{secret.name}").write_bytes(secret.read_bytes())
        manifest = {
            "format": FORMAT,
            "environment": environment.name,
            "created": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        manifest_file = members / "manifest.json"
        manifest_file.write_text(
            json.dumps(manifest | {"versions": versions(environment), "sha256": checksums(members)}, indent=2),
            encoding="utf-8",
        )
        archive = Path(scratch) / "backup.tar"
        with tarfile.open(archive, "w") as tar:
            for member in sorted(members.iterdir()):
                tar.add(member, arcname=member.name)
        fresh = target.with_suffix(".new")
        pyrage.encrypt_file(str(archive), str(fresh), recipients)
        fresh.chmod(0o400)
        fresh.replace(target)
    target.with_suffix(".age.sha256").write_text(f"{_sha256(target)}  {target.name}\n", encoding="ascii")
    for old in prunable(folder.glob(f"secure-mcp-{environment.name}-*.tar.age")):
        old.unlink()
        old.with_suffix(".age.sha256").unlink(missing_ok=True)
        note(f"pruned {old.name}")
    return target


def ensure_recipients(environment: StackEnvironment) -> list[pyrage.x25519.Recipient]:
    """Return whom backups are encrypted to: the lines of `backup.recipients`; a first identity is made if need be."""
    file = environment.state / RECIPIENTS
    if not file.exists():
        identity = pyrage.x25519.Identity.generate()
        key = environment.secrets / IDENTITY
        key.touch(mode=0o600, exist_ok=False)
        key.write_text(f"{identity}\n", encoding="ascii")
        key.chmod(0o400)
        file.write_text(f"{identity.to_public()}\n", encoding="ascii")
        note(f"Copy {short(key)} off this machine: without it no backup can be read.")
    lines = [line.strip() for line in file.read_text(encoding="ascii").splitlines()]
    try:
        return [pyrage.x25519.Recipient.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.RecipientError as error:
        raise OperatorError(
            f"{short(file)} has a line that is no age recipient.", "Write one age1... a line."
        ) from error


def dump(environment: StackEnvironment) -> bytes:
    """Return the database in PostgreSQL's custom format, of one point in time."""
    target = environment.container("postgres")
    return docker("exec", PASSWORD_FILE, target, *DUMP, deadline_s=1800)


def realm_export(environment: StackEnvironment) -> dict[str, object]:
    """Return the realm as the account `terraform` sees it, normalised."""
    trust_authority(environment.authority)
    with AdminClient(
        environment.operator_url, REALM, "terraform", read_secret(environment.secrets, "terraform")
    ) as admin:
        return dict(normalise(export_realm(admin), environment.public_url))


def versions(environment: StackEnvironment) -> dict[str, str]:
    """Return the versions that a restore has to match."""
    said = docker("exec", environment.container("postgres"), "postgres", "--version").decode().split()
    return {
        "secure-mcp": __version__,
        "keycloak": KEYCLOAK_VERSION,
        "postgresql": next(word for word in said if word[0].isdigit()),
    }


def checksums(folder: Path) -> dict[str, str]:
    """Return SHA-256 by name of the files of a folder, the manifest left out."""
    return {file.name: _sha256(file) for file in sorted(folder.iterdir()) if file.name != "manifest.json"}


def prunable(files: Iterable[Path], keep: Mapping[str, int] | None = None) -> list[Path]:
    """Return the backups that no rule keeps: kept are the last day's, and the last of 7 days, 4 weeks and 12 months."""
    keep = keep or KEEP
    periods = {"daily": "%Y-%m-%d", "weekly": "%G-%V", "monthly": "%Y-%m"}
    newest_first = sorted(files, key=lambda file: file.name, reverse=True)
    last_day = _time_of(newest_first[0]) - dt.timedelta(days=1) if newest_first else None
    kept: set[Path] = {file for file in newest_first if last_day and _time_of(file) > last_day}
    for name, form in periods.items():
        last: dict[str, Path] = {}
        for file in newest_first:
            last.setdefault(f"{_time_of(file):{form}}", file)
        kept |= set(list(last.values())[: keep[name]])
    return [file for file in newest_first if file not in kept]


def _time_of(file: Path) -> dt.datetime:
    return dt.datetime.strptime(file.name.removesuffix(".tar.age").rsplit("-", 1)[1], _STAMP).replace(tzinfo=dt.UTC)


def _secret_files(environment: StackEnvironment) -> list[Path]:
    return [
        file
        for file in sorted(environment.secrets.iterdir())
        if file.is_file() and file.name != IDENTITY and file.suffix != ".previous"
    ]


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
