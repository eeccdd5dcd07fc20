"""kcwarden's rules on the live realm: somebody else's judgement beside our own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from ops.errors import OperatorError
from ops.findings.model import Finding, printable, severity_of
from ops.realm import read_lock

EXCLUSIONS = Path(__file__).with_name("kcwarden.yaml")
_COMMAND = [sys.executable, "-m", "kcwarden.cli"]
_DEADLINE_S = 120


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A rule of kcwarden that does not count, for one entity or (`*`) for all, and why."""

    auditor: str
    entity: str
    reason: str

    def covers(self, auditor: str, entity: str) -> bool:
        """Return whether it is about a result."""
        return self.auditor == auditor and fnmatchcase(entity, self.entity)


def load_exclusions(path: Path = EXCLUSIONS) -> tuple[Exclusion, ...]:
    """Return the rows of kcwarden.yaml."""
    return tuple(Exclusion(**row) for row in yaml.safe_load(path.read_text(encoding="utf-8"))["exclusions"])


def run_kcwarden(export: Mapping[str, Any]) -> tuple[list[Finding], set[Exclusion]]:
    """Return what kcwarden finds and nobody excluded, and the exclusions that covered something.

    Args:
        export: the realm as a partial export, without secrets.

    Raises:
        OperatorError: kcwarden is not installed or fails (exit code 2).
    """
    exclusions = load_exclusions()
    everywhere = {row.auditor for row in exclusions if row.entity == "*"}
    template = yaml.safe_load(_run("generate-config-template"))
    asked = [row["auditor"] for row in template["auditors"] if row["auditor"] not in everywhere]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "realm.json"
        # Only an export has the version, and this is none; the lock file has the one that it was made with.
        file.write_text(json.dumps({"keycloakVersion": read_lock()["keycloakVersion"], **export}), encoding="utf-8")
        found = json.loads(_run("audit", str(file), "--format", "json", "--auditors", *asked))
    used = {row for row in exclusions if row.entity == "*"}
    findings = []
    for result in found:
        covering = {row for row in exclusions if row.covers(result["reporting_auditor"], result["entity"])}
        used |= covering
        if not covering:
            findings.append(_finding(result))
    return findings, used


def _finding(result: Mapping[str, Any]) -> Finding:
    return Finding(
        id=f"kcwarden-{result['reporting_auditor']}",
        severity=severity_of(result["severity"]),
        sentence=printable(f"kcwarden: {result['short_description']} ({result['entity']})"),
        why=printable(result["long_description"]),
        fix="Change it in terraform/keycloak, or exclude it with a reason in ops/audit/kcwarden.yaml.",
        reference=result["reference"] or "kcwarden",
        address=printable(f"kcwarden/{result['entity_type']}/{result['entity']}"),
    )


def _run(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a program of ours with a file of ours
            [*_COMMAND, *arguments], capture_output=True, text=True, timeout=_DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OperatorError("kcwarden had not ended in time.", "Run without it: --no-kcwarden") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise OperatorError(f"kcwarden fails: {lines[-1]}", "Install it (make venv-ops), or run with --no-kcwarden.")
    return done.stdout
