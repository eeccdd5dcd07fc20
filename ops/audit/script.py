"""The repair as a shell script to read and to run: nothing is run here."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.audit.audit import Drift


@dataclass(frozen=True, slots=True)
class Terraform:
    """How this environment's realm is applied.

    Args:
        folder: folder of the root module, with its state.
        options: options of `terraform apply` such as `-var-file=…`.
        exports: variables of the shell that hold secrets, by name; each value is shell text that reads a file.
        missing: why there is no Terraform here; empty where there is.
    """

    folder: Path
    options: Sequence[str] = ()
    exports: dict[str, str] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """Whom kcadm.sh logs in as: an account that may change what the auditor only reads.

    Args:
        server: base URL of Keycloak.
        realm: realm of the account.
        client_id: the account.
        secret_file: file with its secret.
    """

    server: str
    realm: str
    client_id: str
    secret_file: Path


def repair_script(drift: Iterable[Drift], terraform: Terraform, login: Login) -> list[str]:
    """Return the lines of a script that takes back every difference; empty when there is none.

    Args:
        drift: what the audit found.
        terraform: how the realm is applied.
        login: whom kcadm.sh logs in as.
    """
    found = list(drift)
    if not found:
        return []
    before = list(dict.fromkeys(line for one in found for line in one.repair.before))
    after = list(dict.fromkeys(line for one in found for line in one.repair.after))
    lines = [f"# {one.finding.severity.word}: {one.finding.sentence}" for one in found]
    lines += ["set -eu"]
    if before or after:
        lines += _log_in(login)
    lines += before
    if any(one.repair.apply for one in found):
        lines += _apply(found, terraform)
    lines += after
    lines += [f"# By hand: {text}" for text in dict.fromkeys(one.repair.by_hand for one in found) if text]
    return [*lines, "# Then look again: secure-mcp audit"]


def _log_in(login: Login) -> list[str]:
    secret = f'KC_CLI_CLIENT_SECRET="$(cat {shlex.quote(str(login.secret_file))})"'
    target = f"--server {shlex.quote(login.server)} --realm {shlex.quote(login.realm)}"
    return [
        "# kcadm.sh is in bin/ of Keycloak's distribution and container; the secret is in no argument.",
        f"{secret} kcadm.sh config credentials {target} --client {shlex.quote(login.client_id)}",
    ]


def _apply(found: list[Drift], terraform: Terraform) -> list[str]:
    if terraform.missing:
        return [f"# terraform apply is needed, and cannot be run here: {terraform.missing}"]
    replaced = dict.fromkeys(address for one in found for address in one.repair.replace)
    options = [*terraform.options, *(f"-replace={address}" for address in replaced)]
    exports = [f"export {name}={value}" for name, value in terraform.exports.items()]
    command = " ".join(
        ["terraform", f"-chdir={shlex.quote(str(terraform.folder))}", "apply", *map(shlex.quote, options)]
    )
    return [*exports, command]


def secrets_export(folder: Path, names: Iterable[str]) -> str:
    """Return shell text that makes the JSON of TF_VAR_client_secrets from secret files.

    Args:
        folder: folder of the secret files.
        names: names of the clients; the files have the same.
    """
    parts = ", ".join(f'\\"{name}\\": \\"$(cat {shlex.quote(str(folder / name))})\\"' for name in sorted(names))
    return f'"{{{parts}}}"'
