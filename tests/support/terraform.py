"""Terraform run as an operator runs it, in a copy of the repository's layout with a state of its own."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PLAN = "tested.tfplan"


class Root:
    """One root module.

    Args:
        folder: an empty folder; the copy is made below it.
        name: `keycloak` or `docker`.
    """

    def __init__(self, folder: Path, name: str) -> None:
        for file in ("access.yaml", "access.schema.json"):
            shutil.copyfile(REPOSITORY / file, folder / file)
        # Providers of a local mirror never have the published hashes, so the dependency lock file stays behind.
        stale = shutil.ignore_patterns(".terraform", "*.tfstate*", ".terraform.lock.hcl")
        shutil.copytree(REPOSITORY / "terraform", folder / "terraform", ignore=stale)
        self.path = folder / "terraform" / name
        self.contract = folder / "access.yaml"

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run terraform and return what happened; secrets go by `env`."""
        own = ("TF_VAR_", "TF_CLI_ARGS", "KEYCLOAK_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self.path,
            env=inherited | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"} | dict(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def succeed(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run terraform, fail the test unless it succeeds, and return its output."""
        result = self.run(*arguments, env=env)
        assert result.returncode == 0, f"terraform {arguments[0]}: {result.returncode}\n{result.stdout}{result.stderr}"
        return result.stdout

    def initialise(self) -> subprocess.CompletedProcess[str]:
        return self.run("init", "-no-color", "-input=false")

    def planned(self) -> dict[str, Any]:
        """Return the saved plan as JSON."""
        return json.loads(self.succeed("show", "-json", PLAN))

    def state(self) -> dict[str, Any]:
        """Return the state as JSON."""
        return json.loads(self.succeed("show", "-json"))


def initialise(root: Path) -> str | None:
    """Return why a root module cannot be initialised here, or None."""
    if not root.is_dir():
        return f"there is no terraform/{root.name} yet"
    with tempfile.TemporaryDirectory() as folder:
        result = Root(Path(folder), root.name).initialise()
    if result.returncode == 0:
        return None
    lines = [line.strip("│╷╵ ") for line in result.stderr.splitlines()]
    return f"terraform init failed: {' '.join(line for line in lines if line)[:300]}"
