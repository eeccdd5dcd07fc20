"""A Terraform root in a work copy of a pipeline, with the values and the backend of one environment."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.containers.root import first_error
from ops.environment import CONTRACT, REPOSITORY
from ops.errors import OperatorError, findings, unreachable
from ops.output import short

ROOTS = ("keycloak", "docker")
NO_CHANGES, CHANGES = 0, 2
_MIRRORS = (".terraform.d/plugins", ".local/share/terraform/plugins")
_DEADLINE_S = 1800


@dataclass(frozen=True, slots=True)
class Work:
    """One root for one environment.

    Args:
        environment: name of a folder of the values, such as `prod`.
        root: one of ROOTS.
    """

    environment: str
    root: str

    @property
    def results(self) -> Path:
        """Folder of what the job leaves for the next one."""
        return results_folder() / self.environment / self.root

    @property
    def plan_file(self) -> Path:
        """The saved plan, in clear; it never leaves the job."""
        return self._top / f"{self.root}.tfplan"

    @property
    def _top(self) -> Path:
        return results_folder() / "work" / f"{self.environment}-{self.root}"

    @property
    def _folder(self) -> Path:
        return self._top / "terraform" / self.root

    def prepare(self) -> None:
        """Lay out the repository's folders, and initialise the root with the environment's backend.

        Raises:
            OperatorError: the environment has no values or no backend.
        """
        values = values_folder() / self.environment
        backend = values / f"{self.root}.backend.hcl"
        for file in (values / f"{self.root}.tfvars", backend):
            if not file.is_file():
                raise OperatorError(
                    f"There is no {short(file)}.",
                    "Write it (docs/ci.md, Backend), or name another folder of values: SECURE_MCP_ENVIRONMENTS.",
                )
        shutil.rmtree(self._top, ignore_errors=True)
        self._top.mkdir(mode=0o700, parents=True)
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "tests", "environments")
        shutil.copytree(REPOSITORY / "terraform", self._top / "terraform", ignore=ignored)
        shutil.copytree(REPOSITORY / "nginx", self._top / "nginx")
        shutil.copytree(values, self._top / "terraform" / "environments" / self.environment)
        for file in (CONTRACT, CONTRACT.with_name("access.schema.json")):
            shutil.copyfile(file, self._top / file.name)
        if any(list((Path.home() / mirror).glob("*/*/*")) for mirror in _MIRRORS):
            # A provider built on this machine never has the published hashes of the dependency lock file.
            (self._folder / ".terraform.lock.hcl").unlink(missing_ok=True)
        self._checked("init", "-input=false", "-reconfigure", f"-backend-config={backend.resolve()}")

    def plan(self) -> bool:
        """Plan into the plan file and return whether there is anything to do."""
        file = self._top / "terraform" / "environments" / self.environment / f"{self.root}.tfvars"
        arguments = ("-input=false", "-detailed-exitcode", f"-out={self.plan_file}", f"-var-file={file}")
        result = self._run("plan", *arguments)
        if result.returncode not in (NO_CHANGES, CHANGES):
            raise self._failure("plan", result)
        self.plan_file.chmod(0o600)
        return result.returncode == CHANGES

    def show(self) -> dict[str, Any]:
        """Return the plan file as JSON."""
        plan: dict[str, Any] = json.loads(self._checked("show", "-json", str(self.plan_file)).stdout)
        return plan

    def apply(self) -> None:
        """Apply the plan file, no more and no less. Terraform itself refuses it when the state has changed since."""
        self._checked("apply", "-input=false", str(self.plan_file))

    def forget(self) -> None:
        """Delete the work copy with the plan in it."""
        shutil.rmtree(self._top, ignore_errors=True)

    def _checked(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        result = self._run(command, *arguments)
        if result.returncode != 0:
            raise self._failure(command, result)
        return result

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        if shutil.which("terraform") is None:
            raise unreachable("There is no terraform on the search path.", "Install Terraform 1.11 or newer.")
        # Secrets are in TF_VAR_ variables of the job, never in arguments.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TF_CLI_ARGS")}
        return subprocess.run(  # noqa: S603
            ["terraform", command, "-no-color", *arguments],  # noqa: S607 - the job's own terraform
            cwd=self._folder,
            env=inherited | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
        )

    def _failure(self, command: str, result: subprocess.CompletedProcess[str]) -> OperatorError:
        said = first_error(result)
        if "stale" in said:
            return findings(
                f"The saved plan of {self.root} is stale: the state changed after it.", "Run the plan job again."
            )
        return findings(
            f"`terraform {command}` of {self.root} for {self.environment} failed: {said}",
            "Mend the values or the secrets of the job (docs/ci.md), then run it again.",
        )


def values_folder() -> Path:
    """Return the folder with one folder of values an environment: the repository's, or SECURE_MCP_ENVIRONMENTS."""
    return Path(os.environ.get("SECURE_MCP_ENVIRONMENTS") or REPOSITORY / "terraform" / "environments")


def results_folder() -> Path:
    """Return the folder that jobs hand on: dist/ci, or SECURE_MCP_CI_RESULTS."""
    return Path(os.environ.get("SECURE_MCP_CI_RESULTS") or REPOSITORY / "dist" / "ci").absolute()


def work_for(environment: str, root: str) -> Work:
    """Return the work of a root for an environment.

    Raises:
        OperatorError: there is no such root or environment.
    """
    if root not in ROOTS:
        raise OperatorError(f"There is no root {root!r}.", f"Write ROOT={' or ROOT='.join(ROOTS)}.")
    known = sorted(folder.name for folder in values_folder().glob("*/") if folder.is_dir())
    if environment not in known:
        raise OperatorError(f"There is no environment {environment!r}.", f"Write one of: {', '.join(known) or 'none'}.")
    return Work(environment, root)
