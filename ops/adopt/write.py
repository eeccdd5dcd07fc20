"""The files of an adoption: contract, values, import blocks, secrets, and the page that says what comes next."""

import json
import secrets as random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ops.adopt.imports import adopted_clients, has_all_policies, has_components, import_blocks, written
from ops.adopt.judge import Adoption
from ops.adopt.plan import Change
from ops.errors import OperatorError
from ops.secrets import ACCOUNTS
from service.contract import ContractError, load_contract

_SHORTEST = 32  # as variables.tf asks


def write_files(folder: Path, adoption: Adoption, live: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Write access.yaml, keycloak.tfvars and imports.tf.

    Args:
        folder: where to; made when missing. Files of an earlier run are replaced.
        adoption: what is taken over.
        live: the live realm.
        values: environment, keycloak_url, public_url, ssl_required.

    Raises:
        OperatorError: the contract that came out is not valid (exit code 2): a fault of `adopt`, not of the realm.
    """
    folder.mkdir(parents=True, exist_ok=True)
    head = f"# The access contract of the realm {live['realm']}, as secure-mcp adopt read it. Review it.\n"
    text = yaml.safe_dump(adoption.contract, sort_keys=False, allow_unicode=True, width=110)
    (folder / "access.yaml").write_text(head + text, encoding="utf-8")
    try:
        load_contract(folder / "access.yaml")
    except ContractError as error:
        raise OperatorError(f"The contract that was read is not valid: {error}", "Mend access.yaml by hand.") from error
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value]
    lines += [
        f"realm_name = {json.dumps(live['realm'])}",
        "# Clients with a secret that were there before: the provider takes them over without reading the secret.",
        f"adopted_clients = {json.dumps(adopted_clients(adoption, live))}",
        f"adopt_registration_policies = {json.dumps(has_all_policies(live))}",
        f"components_declared = {json.dumps(has_components(live))}",
    ]
    (folder / "keycloak.tfvars").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "imports.tf").write_text(written(import_blocks(adoption, live)), encoding="utf-8")


def write_secrets(folder: Path, adoption: Adoption, live: Mapping[str, Any]) -> list[str]:
    """Write a file for each secret, as it is live where it is long enough, and return the clients that get a new one.

    Args:
        folder: folder of the secret files; made with mode 0700, the files have 0400.
        adoption: what is taken over.
        live: the live realm, with the secrets of its clients.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = {client["clientId"]: client.get("secret", "") for client in live["clients"]}
    confidential = [name for name, entry in adoption.contract["clients"].items() if entry["kind"] != "public"]
    fresh = []
    for name in (*confidential, *ACCOUNTS):
        file = folder / name
        if file.exists():
            continue
        secret = known.get(name, "")
        if len(secret) < _SHORTEST:
            secret = random.token_urlsafe(32)
            fresh += [name] if name in known else []
        file.touch(mode=0o600)
        file.write_text(secret, encoding="ascii")
        file.chmod(0o400)
    return fresh


def page(folder: Path, adoption: Adoption, fresh: Iterable[str], plan: Iterable[Change] | None) -> str:
    """Return ADOPT.md: what was taken over, what stays outside, what will change, what to do.

    Args:
        folder: the folder of the files, for the commands.
        adoption: what is taken over.
        fresh: clients that get a new secret.
        plan: what the first plan does; None when it was not made.
    """
    changed = [*adoption.changed, *(f"Client {name} gets a new secret: the live one is too short." for name in fresh)]
    lines = ["# Adoption", "", "Taken over:", ""]
    lines += [f"- client {name} ({adoption.contract['clients'][name]['kind']})" for name in adoption.clients]
    lines += [f"- client scope {name}" for name in adoption.scopes]
    lines += ["", "Left outside, as it is; `secure-mcp audit` will name it until it is declared or deleted:", ""]
    lines += [f"- {text}" for text in adoption.outside] or ["- nothing"]
    lines += ["", "Changes that the contract brings:", ""]
    lines += [f"- {text}" for text in changed] or ["- none"]
    if plan is not None:
        lines += ["", "The first plan destroys nothing, and does this:", ""]
        lines += [f"- {_line(change)}" for change in plan]
    lines += ["", "Next:", "", *(f"    {line}" for line in _steps(folder))]
    return "\n".join(lines) + "\n"


def _line(change: Change) -> str:
    rest = f": {', '.join(change.attributes)}" if change.attributes else ""
    return f"{change.action} `{change.address}`{rest}"


def _steps(folder: Path) -> list[str]:
    return [
        f"cp {folder}/access.yaml . && cp {folder}/imports.tf terraform/keycloak/",
        f"terraform -chdir=terraform/keycloak plan -var-file={folder}/keycloak.tfvars",
        f"terraform -chdir=terraform/keycloak apply -var-file={folder}/keycloak.tfvars   # twice",
        "rm terraform/keycloak/imports.tf",
    ]
