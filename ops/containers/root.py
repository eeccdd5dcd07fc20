"""A Terraform root in a work copy of its own: initialised, planned into a file, and exactly that plan applied."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.containers.engine import host_of_engine
from ops.containers.environment import StackEnvironment
from ops.environment import CONTRACT, REPOSITORY
from ops.errors import findings, unreachable
from ops.output import short

_APPLY_DEADLINE_S = 1800
_MIRRORS = (".terraform.d/plugins", ".local/share/terraform/plugins")
NO_CHANGES, CHANGES = 0, 2


class TerraformRoot:
    """One of terraform/docker and terraform/keycloak, for one environment.

    Args:
        environment: the environment.
        name: `docker` or `keycloak`.
        variables: values on top of the environment's tfvars file.
        secrets: ephemeral variables; they go through the process environment, at plan and again at apply.
        inside: the folder inside the root that is applied instead, such as `swarm`; empty means the root itself.
    """

    def __init__(
        self,
        environment: StackEnvironment,
        name: str,
        variables: Mapping[str, str],
        secrets: Mapping[str, str] | None = None,
        inside: str = "",
    ) -> None:
        self._environment = environment
        self._name = name
        self._variables = dict(variables)
        self._secrets = dict(secrets or {})
        self._top = environment.state / "terraform"
        self.folder = self._top / "terraform" / name
        self._work = self.folder / inside
        self.plan_file = self._top / f"{'-'.join(filter(None, (name, inside)))}.tfplan"

    def prepare(self) -> None:
        """Lay out the repository's folders as the root expects them, and initialise it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for stale in (*self.folder.glob("*.tf"), *self._work.glob("*.tf")):
            stale.unlink(missing_ok=True)
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "tests", "*.lock.json")
        shutil.copytree(REPOSITORY / "terraform" / self._name, self.folder, ignore=ignored, dirs_exist_ok=True)
        shutil.copytree(
            REPOSITORY / "terraform" / "environments", self._top / "terraform" / "environments", dirs_exist_ok=True
        )
        if self._name == "docker":
            shutil.copytree(REPOSITORY / "nginx", self._top / "nginx", dirs_exist_ok=True)
        for file in (CONTRACT, CONTRACT.with_name("access.schema.json")):
            shutil.copyfile(file, self._top / file.name)
        if any(list((Path.home() / mirror).glob("*/*/*")) for mirror in _MIRRORS):
            # A provider built on this machine never has the published hashes of the dependency lock file.
            (self._work / ".terraform.lock.hcl").unlink(missing_ok=True)
        self._checked("init", "-input=false", deadline_s=300)

    def plan(self, *options: str) -> bool:
        """Plan into the plan file. Returns whether there is anything to do."""
        result = self._run(
            "plan", "-input=false", "-detailed-exitcode", f"-out={self.plan_file}", *self._values(), *options
        )
        if result.returncode not in {NO_CHANGES, CHANGES}:
            raise self._failure("plan", result)
        return result.returncode == CHANGES

    def show(self) -> dict[str, Any]:
        """Return the plan file as JSON."""
        plan: dict[str, Any] = json.loads(self._checked("show", "-json", str(self.plan_file)).stdout)
        return plan

    def apply(self) -> None:
        """Apply the plan file, no more and no less."""
        self._checked("apply", "-input=false", str(self.plan_file), deadline_s=_APPLY_DEADLINE_S)
        self.plan_file.unlink()

    def destroy(self) -> None:
        """Destroy what the root made. Refused by the root itself where it is protected."""
        self._checked("destroy", "-input=false", "-auto-approve", *self._values(), deadline_s=_APPLY_DEADLINE_S)

    def _values(self) -> list[str]:
        file = self._top / "terraform" / "environments" / self._environment.name / f"{self._name}.tfvars"
        given = [f"-var-file={file}"] if file.exists() else []
        # A site's own values, and what tests change, come last.
        own = self._environment.state / f"{self._name}.tfvars.json"
        given += [f"-var-file={own}"] if own.exists() else []
        return given + [f"-var={name}={value}" for name, value in self._variables.items()]

    def _checked(self, command: str, *arguments: str, deadline_s: float = 600) -> subprocess.CompletedProcess[str]:
        result = self._run(command, *arguments, deadline_s=deadline_s)
        if result.returncode != 0:
            raise self._failure(command, result)
        return result

    def _run(self, command: str, *arguments: str, deadline_s: float = 600) -> subprocess.CompletedProcess[str]:
        if shutil.which("terraform") is None:
            raise unreachable("There is no terraform on the search path.", "Install Terraform 1.11 or newer.")
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TF_VAR_", "TF_CLI_ARGS", "KEYCLOAK_"))
        }
        settings = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "DOCKER_HOST": host_of_engine()}
        secrets = {f"TF_VAR_{name}": value for name, value in self._secrets.items()}
        result = subprocess.run(  # noqa: S603 - secrets are in the environment, not in the arguments
            ["terraform", command, "-no-color", *arguments],  # noqa: S607 - the operator's own terraform
            cwd=self._work,
            env=inherited | settings | secrets,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline_s,
            check=False,
        )
        if command != "show":
            log = self._environment.log(f"terraform-{self._name}")
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as file:
                file.write(f"$ terraform {command}\n{result.stdout}{result.stderr}\n")
        return result

    def _failure(self, command: str, result: subprocess.CompletedProcess[str]) -> Exception:
        log = short(self._environment.log(f"terraform-{self._name}"))
        return findings(
            f"`terraform {command}` in terraform/{self._name} failed: {first_error(result)}", f"Read {log}."
        )


def planned_values(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the variables of a plan, from `TerraformRoot.show`."""
    return {name: variable.get("value") for name, variable in plan.get("variables", {}).items()}


def failed_checks(plan: Mapping[str, Any]) -> Sequence[str]:
    """Return the addresses of the `check` blocks that fail: a failing check does not fail a plan."""
    return [check["address"]["to_display"] for check in plan.get("checks", []) if check.get("status") == "fail"]


def first_error(result: subprocess.CompletedProcess[str]) -> str:
    """Return the first error block of Terraform's output as one line."""
    text = result.stderr + result.stdout
    block = text[text.find("Error:") :] if "Error:" in text else text
    lines = [line.strip("│╷╵ ") for line in block.splitlines()]
    return " ".join(line for line in lines if line)[:600]
