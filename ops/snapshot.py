"""`secure-mcp snapshot`: the applied realm as a reviewable file."""

import difflib
import json
from pathlib import Path

from ops.admin import AdminClient
from ops.environment import REALM, Environment
from ops.errors import findings
from ops.output import done, note, short
from ops.realm import LOCK, export_realm, normalise, read_lock, write_lock
from ops.secrets import read_secret

_SHOWN = 60


def take_snapshot(environment: Environment, target: Path = LOCK, *, check: bool = False) -> None:
    """Write the lock file from the live realm, or compare the two. The realm is only read.

    Args:
        environment: where the realm runs.
        target: the lock file.
        check: compare, write nothing.

    Raises:
        OperatorError: `check`, and the realm differs (exit code 1); or Keycloak does not answer.
    """
    secret = read_secret(environment.secrets, "terraform")
    with AdminClient(environment.keycloak_url, REALM, "terraform", secret) as admin:
        export = export_realm(admin)
    lock = normalise(export, environment.public_url)
    if check:
        if lines := _difference(read_lock(target), lock, target):
            for line in lines[:_SHOWN]:
                note(line)
            raise findings(
                f"The live realm and {short(target)} differ in {len(lines)} lines.",
                "Apply what is declared, or take a snapshot.",
            )
        done(f"{short(target)} says what the live realm is")
    elif write_lock(lock, target):
        done(f"wrote {short(target)}; review it: git diff -- {short(target)}")
    else:
        done(f"{short(target)} is up to date")


def _difference(lock: object, live: object, target: Path) -> list[str]:
    before, after = (json.dumps(side, indent=2, sort_keys=True).splitlines() for side in (lock, live))
    return list(difflib.unified_diff(before, after, short(target), "live realm", lineterm="", n=2))
