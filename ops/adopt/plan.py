"""The first plan, made in a scratch folder: what would change, and whether anything would be destroyed."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.environment import CONTRACT, REPOSITORY
from ops.errors import OperatorError, findings

_DEADLINE_S = 600
_MIRRORS = (".terraform.d/plugins", ".local/share/terraform/plugins")


@dataclass(frozen=True, slots=True)
class Change:
    """What the plan does to one resource.

    Args:
        address: the resource.
        action: `import`, `update`, `create`, or `take over` (a client with a secret). The first and the last
            update as well.
        attributes: names of the attributes that change.
    """

    address: str
    action: str
    attributes: tuple[str, ...] = ()


def first_plan(folder: Path, scratch: Path, secrets: Mapping[str, str]) -> list[Change]:
    """Return what the first apply would do.

    Args:
        folder: what `adopt` wrote: access.yaml, keycloak.tfvars, imports.tf.
        scratch: an empty folder.
        secrets: `TF_VAR_…` variables that hold secrets.

    Raises:
        OperatorError: Terraform is missing (exit code 2) or fails, or the plan would destroy something (exit code 1).
    """
    if shutil.which("terraform") is None:
        raise OperatorError("There is no terraform on the search path.", "Install Terraform 1.11, or add --no-plan.")
    root = lay_out(folder, scratch)
    _run(root, secrets, "init", "-input=false")
    _run(root, secrets, "plan", "-input=false", "-out=first.tfplan", f"-var-file={folder / 'keycloak.tfvars'}")
    plan = json.loads(_run(root, {}, "show", "-json", "first.tfplan"))
    return changes(plan)


def lay_out(folder: Path, target: Path) -> Path:
    """Lay out terraform/keycloak with the adopted contract and the import blocks, and return its folder."""
    stale = shutil.ignore_patterns(".terraform", "*.tfstate*", "tests", "*.lock.json")
    shutil.copytree(REPOSITORY / "terraform" / "keycloak", target / "terraform" / "keycloak", ignore=stale)
    shutil.copyfile(folder / "access.yaml", target / "access.yaml")
    shutil.copyfile(CONTRACT.with_name("access.schema.json"), target / "access.schema.json")
    root = target / "terraform" / "keycloak"
    shutil.copyfile(folder / "imports.tf", root / "imports.tf")
    if any(list((Path.home() / mirror).glob("*/*/*")) for mirror in _MIRRORS):
        # A provider built on this machine never has the published hashes of the dependency lock file.
        (root / ".terraform.lock.hcl").unlink(missing_ok=True)
    return root


def changes(plan: Mapping[str, Any]) -> list[Change]:
    """Return the changes of a plan.

    Raises:
        OperatorError: something would be destroyed or replaced (exit code 1).
    """
    found, destroyed = [], []
    for resource in plan.get("resource_changes", []):
        change = resource["change"]
        actions = change["actions"]
        if "delete" in actions:
            destroyed.append(resource["address"])
        if resource["mode"] != "managed" or (actions == ["no-op"] and "importing" not in change):
            continue
        before, after = change.get("before") or {}, change.get("after") or {}
        differ = tuple(sorted(name for name in after if before.get(name) != after[name])) if before else ()
        action = "take over" if after.get("import") else "import" if "importing" in change else actions[0]
        found.append(Change(resource["address"], action, differ))
    if destroyed:
        raise findings(
            f"The plan would destroy {', '.join(destroyed)}.", "Nothing was changed. Look at imports.tf; do not apply."
        )
    return found


def _run(root: Path, secrets: Mapping[str, str], command: str, *arguments: str) -> str:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TF_VAR_", "TF_CLI_ARGS", "KEYCLOAK_"))
    }
    result = subprocess.run(  # noqa: S603 - secrets are in the environment, not in the arguments
        ["terraform", command, *([] if command == "show" else ["-no-color"]), *arguments],  # noqa: S607
        cwd=root,
        env=inherited | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"} | dict(secrets),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    if result.returncode != 0:
        lines = [line.strip("│╷╵ ") for line in result.stderr.partition("Error: ")[2].splitlines()]
        raise findings(
            f"`terraform {command}` fails: {' '.join(line for line in lines if line)[:500]}",
            "The files are written all the same; mend them, or add --no-plan.",
        )
    return result.stdout
