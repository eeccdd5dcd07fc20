"""The realm by Terraform: a work copy of terraform/keycloak in the state folder, applied to the local Keycloak."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ops.environment import CONTRACT, REALM, REPOSITORY, Environment
from ops.errors import OperatorError, findings
from ops.fingerprint import fingerprint
from ops.keycloak import BOOTSTRAP_CLIENT
from ops.output import short, step

MINIMUM = (1, 11)
_MODULE = REPOSITORY / "terraform" / "keycloak"
_VALUES = REPOSITORY / "terraform" / "environments"
_INIT_DEADLINE_S = 60
_APPLY_DEADLINE_S = 600
# Where Terraform itself looks for providers before it asks a registry (implied local mirror directories).
_MIRRORS = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
)


class TerraformRealm:
    """Applies the realm of an environment.

    Args:
        environment: the environment.
        client_secrets: secret by client id, `terraform` included.
        bootstrap_secret: secret of the administrator of the master realm, for the first apply.
    """

    def __init__(self, environment: Environment, client_secrets: Mapping[str, str], bootstrap_secret: str) -> None:
        self._environment = environment
        self._secrets = dict(client_secrets)
        self._bootstrap_secret = bootstrap_secret
        self._root = environment.state / "terraform"
        self.folder = self._root / "keycloak"

    def unavailable(self) -> str | None:
        """Return why Terraform cannot be used here, or None after the work copy was initialised."""
        program = shutil.which("terraform")
        if program is None:
            return "there is no terraform on the search path"
        version = terraform_version(program)
        if version < MINIMUM:
            return (
                f"Terraform {'.'.join(map(str, version)) or '(no version)'} is older than {'.'.join(map(str, MINIMUM))}"
            )
        self._copy()
        try:
            result = self._run("init", "-input=false", deadline_s=_INIT_DEADLINE_S)
        except subprocess.TimeoutExpired:
            return f"`terraform init` had not got the provider keycloak/keycloak after {_INIT_DEADLINE_S} s"
        return None if result.returncode == 0 else f"`terraform init` failed: {_first_error(result)}"

    def apply(self) -> bool:
        """Bring the realm to what is declared. Does nothing when neither code nor values changed since the last time.

        Returns:
            Whether anything was applied.

        Raises:
            OperatorError: Terraform is gone, or the apply fails.
        """
        mark = self._fingerprint()
        if self._environment.recall("terraform_applied") == mark:
            return False
        if reason := self.unavailable():
            raise OperatorError(
                f"The realm was made by Terraform, which cannot be used now: {reason}.",
                "Make terraform and its provider available again, or start afresh: make destroy, then make up.",
            )
        account = fingerprint([_MODULE / "accounts.tf"], self._digests())
        before = self._environment.recall("terraform_account")
        if before != account:
            # The account can neither make itself nor change its own rights. A target leaves out what was removed, so it
            # is for the first time only.
            target = () if before else ("-target=terraform_data.bootstrap",)
            with step("terraform apply: realm and Terraform's own account, as the bootstrap administrator"):
                self._apply("master", BOOTSTRAP_CLIENT, self._bootstrap_secret, *target)
            self._environment.remember(terraform_account=account)
        with step("terraform apply: everything, as the account `terraform` of the realm"):
            self._apply(REALM, "terraform", self._secrets["terraform"])
        self._environment.remember(terraform_applied=mark)
        return True

    def _copy(self) -> None:
        """Lay out the module as in the repository, so that its relative paths hold; state and providers stay."""
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "tests", "*.lock.json")
        self.folder.mkdir(parents=True, exist_ok=True)
        for stale in self.folder.glob("*.tf"):
            stale.unlink()
        shutil.copytree(_MODULE, self.folder, ignore=ignored, dirs_exist_ok=True)
        shutil.copytree(_VALUES, self._root / "environments", dirs_exist_ok=True)
        for file in (CONTRACT, CONTRACT.with_name("access.schema.json")):
            shutil.copyfile(file, self._environment.state / file.name)
        if any(mirror.glob("*/keycloak/keycloak") for mirror in map(_expand, _MIRRORS) if mirror.is_dir()):
            # A provider built on this machine never has the published hashes of the dependency lock file.
            (self.folder / ".terraform.lock.hcl").unlink(missing_ok=True)

    def options(self, realm: str, client_id: str) -> list[str]:
        """Return the options that give Terraform the values of this environment; none is a secret.

        Args:
            realm: realm of the account that logs in.
            client_id: the account.
        """
        variables = {
            "admin_realm": realm,
            "admin_client_id": client_id,
            "environment": self._environment.name,
            "keycloak_url": self._environment.keycloak_url,
            "public_url": self._environment.public_url,
            # A new secret is sent to Keycloak because its version changes with it.
            "client_secret_versions": json.dumps(self._digests()),
        }
        arguments = [f"-var={name}={value}" for name, value in variables.items()]
        values = self._root / "environments" / self._environment.name / "keycloak.tfvars"
        if values.exists():
            arguments.insert(0, f"-var-file={values}")
        return arguments

    def _apply(self, realm: str, client_id: str, secret: str, *options: str) -> None:
        arguments = self.options(realm, client_id)
        secrets = {"TF_VAR_client_secrets": json.dumps(self._secrets), "TF_VAR_admin_client_secret": secret}
        result = self._run("apply", "-input=false", "-auto-approve", *arguments, *options, env=secrets)
        if result.returncode != 0:
            raise findings(
                f"`terraform apply` failed: {_first_error(result)}",
                f"Read {short(self._environment.log('terraform'))}.",
            )

    def _run(
        self, command: str, *arguments: str, env: Mapping[str, str] | None = None, deadline_s: float = _APPLY_DEADLINE_S
    ) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TF_VAR_", "TF_CLI_ARGS", "KEYCLOAK_"))
        }
        settings = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"} | dict(env or {})
        result = subprocess.run(  # noqa: S603 - secrets are in the environment, not in the arguments
            ["terraform", command, "-no-color", *arguments],  # noqa: S607 - the operator's own terraform
            cwd=self.folder,
            env=inherited | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline_s,
            check=False,
        )
        log = self._environment.log("terraform")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ terraform {command}\n{result.stdout}{result.stderr}\n")
        return result

    def _digests(self) -> dict[str, str]:
        """Return something that changes with each secret and does not tell it."""
        return {
            name: hashlib.sha256(secret.encode()).hexdigest()[:12] for name, secret in sorted(self._secrets.items())
        }

    def _fingerprint(self) -> str:
        values = {"public": self._environment.public_url, "keycloak": self._environment.keycloak_url}
        values |= self._digests()
        paths = (_MODULE, _VALUES / self._environment.name, CONTRACT, CONTRACT.with_name("access.schema.json"))
        return fingerprint(paths, values)


def terraform_version(program: str) -> tuple[int, ...]:
    """Return the version of a Terraform program, such as (1, 11, 4); empty where it cannot be told."""
    try:
        answer = subprocess.run([program, "version", "-json"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
        found = re.match(r"(\d+)\.(\d+)\.(\d+)", json.loads(answer.stdout)["terraform_version"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return ()
    return tuple(int(number) for number in found.groups()) if found else ()


def _expand(path: str) -> Path:
    return Path(path).expanduser()


def _first_error(result: subprocess.CompletedProcess[str]) -> str:
    """Return the first error block of Terraform's output as one line."""
    _, error, block = result.stderr.partition("Error: ")
    block = block if error else result.stderr or result.stdout
    lines = [line.strip("│╷╵ ") for line in block.splitlines()]
    return " ".join(line for line in lines if line)[:600]
