"""A saved plan as an artefact that others may store: encrypted with age, and bound to what it was made for.

A plan file holds the state and every value of the configuration, so it travels encrypted. The plan job knows the public
recipient only; the identity that opens it belongs to the protected environment of the apply job.
"""

import datetime as dt
import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Final

import pyrage  # type: ignore[import-untyped]

from ops.environment import REPOSITORY
from ops.errors import OperatorError, findings

RECIPIENT: Final = "SECURE_MCP_CI_RECIPIENT"
IDENTITY: Final = "SECURE_MCP_CI_IDENTITY"
MAX_AGE: Final = dt.timedelta(hours=24)
_ABOUT, _PLAN = "about.json", "plan.tfplan"


def commit() -> str:
    """Return the commit that is checked out."""
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        if value := os.environ.get(name):
            return value
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S607
    if done.returncode != 0:
        raise OperatorError("This is no git checkout.", "Run the job in a checkout, or set CI_COMMIT_SHA.")
    return done.stdout.strip()


def seal(plan: Path, target: Path, environment: str, root: str) -> None:
    """Write the encrypted artefact.

    Args:
        plan: the saved plan.
        target: file to write.
        environment: name of the environment.
        root: name of the root.

    Raises:
        OperatorError: SECURE_MCP_CI_RECIPIENT is no age recipient.
    """
    text = os.environ.get(RECIPIENT, "").strip()
    try:
        recipients = [pyrage.x25519.Recipient.from_str(word) for word in text.split()]
    except pyrage.RecipientError:
        recipients = []
    if not recipients:
        raise OperatorError(
            f"{RECIPIENT} names nobody the saved plan could be encrypted to.",
            "Make a pair with `secure-mcp ci keys` and give this variable the line that begins with age1.",
        )
    content = plan.read_bytes()
    about = {
        "environment": environment,
        "root": root,
        "commit": commit(),
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in ((_ABOUT, json.dumps(about).encode()), (_PLAN, content)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pyrage.encrypt(packed.getvalue(), recipients))


def unseal(source: Path, plan: Path, environment: str, root: str) -> None:
    """Open an artefact and write the plan that is in it, if it is the one for this job.

    Raises:
        OperatorError: there is none, the identity does not open it, or it was made for something else.
    """
    identity = os.environ.get(IDENTITY, "").strip()
    if not identity:
        raise OperatorError(f"{IDENTITY} is not set.", "Put the age identity into the secrets of this environment.")
    if not source.is_file():
        raise OperatorError(f"There is no saved plan {source.name} for {environment}.", "Run the plan job first.")
    try:
        content = pyrage.decrypt(source.read_bytes(), [pyrage.x25519.Identity.from_str(identity)])
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            about = json.loads(_member(archive, _ABOUT))
            data = _member(archive, _PLAN)
    except (pyrage.IdentityError, pyrage.DecryptError, tarfile.TarError, ValueError, KeyError) as error:
        # The reason is left out: it could quote the identity.
        raise OperatorError(
            "The saved plan cannot be opened.", f"Is {IDENTITY} the counterpart of the plan job's {RECIPIENT}?"
        ) from error
    _match(about, environment, root, hashlib.sha256(data).hexdigest())
    plan.touch(mode=0o600)
    plan.write_bytes(data)


def _match(about: dict[str, str], environment: str, root: str, digest: str) -> None:
    wanted = {"environment": environment, "root": root, "commit": commit(), "sha256": digest}
    for name, value in wanted.items():
        if about.get(name) != value:
            raise findings(
                f"The saved plan is of another {name} ({about.get(name)}, not {value}); it is not applied.",
                "Run plan and apply in one pipeline.",
            )
    age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(about["made"])
    if age > MAX_AGE:
        hours = age.total_seconds() / 3600
        raise findings(f"The saved plan is {hours:.0f} hours old; it is not applied.", "Run the plan job again.")


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()
