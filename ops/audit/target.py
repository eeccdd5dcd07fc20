"""Which realm is audited: what the options say, else what the environment of this machine knows."""

import json
from dataclasses import dataclass
from pathlib import Path

from ops.audit.declared import Declared
from ops.audit.kcadm import Root
from ops.audit.script import Login, Terraform, secrets_export
from ops.containers.environment import StackEnvironment, find_environment
from ops.containers.up import SERVICE_URL
from ops.environment import CONTRACT, REALM, REPOSITORY, Environment
from ops.errors import OperatorError
from ops.keycloak import BOOTSTRAP_CLIENT
from ops.output import short
from ops.parts import make_secrets
from ops.realm import LOCK, import_values, render_lock
from ops.secrets import ACCOUNTS, BOOTSTRAP_ADMIN, read_secret
from ops.terraform import TerraformRealm
from service.contract import Contract, ContractError, load_contract

_AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command; None means what the environment knows."""

    keycloak_url: str | None = None
    realm: str | None = None
    public_url: str | None = None
    service_url: str | None = None
    issuer: str | None = None
    ssl_required: str | None = None
    secrets: Path | None = None
    lock: Path | None = None
    known: Path | None = None
    terraform: Path | None = None
    var_files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """The realm that is audited, what it is compared with, and how it is repaired."""

    keycloak_url: str
    realm: str
    secret: str
    declared: Declared
    root: Root
    terraform: Terraform
    login: Login
    known: Path


def find_target(wishes: Wishes) -> Target:
    """Return what is audited.

    Raises:
        OperatorError: contract, lock file or a secret is missing or wrong (exit code 2).
    """
    environment = find_environment()
    contract = _contract()
    folder = wishes.secrets or environment.secrets
    realm = wishes.realm or REALM
    keycloak_url = (wishes.keycloak_url or _admin_url(environment)).rstrip("/")
    public_url = (wishes.public_url or environment.public_url).rstrip("/")
    secret = read_secret(folder, _AUDITOR)
    declared_secrets = _secrets(folder, contract)
    ssl_required = wishes.ssl_required or ("external" if environment.name == "dev" else "all")
    known = wishes.known or environment.state / "registered-clients.json"
    declared = Declared(
        contract=contract,
        public_url=public_url,
        ssl_required=ssl_required,
        service_url=wishes.service_url or (SERVICE_URL if isinstance(environment, StackEnvironment) else None),
        secrets=declared_secrets,
        known=read_known(known),
        lock=wishes.lock or _lock(environment),
        issuer=wishes.issuer or (f"{environment.keycloak_url}/realms/{realm}" if wishes.keycloak_url is None else None),
    )
    return Target(
        keycloak_url=keycloak_url,
        realm=realm,
        secret=secret,
        declared=declared,
        root=_root(declared, environment, realm, folder),
        terraform=_terraform(wishes, environment, contract, folder),
        login=Login(keycloak_url, "master", BOOTSTRAP_CLIENT, folder / BOOTSTRAP_ADMIN),
        known=known,
    )


def read_known(file: Path) -> tuple[str, ...]:
    """Return the clients that earlier runs saw registering: events of that expire, the clients do not.

    Raises:
        OperatorError: the file is damaged (exit code 2).
    """
    if not file.exists():
        return ()
    try:
        return tuple(json.loads(file.read_text(encoding="utf-8"))["registered"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperatorError(f"{short(file)} cannot be read: {error}.", "Delete it, or restore it.") from error


def write_known(file: Path, client_ids: tuple[str, ...]) -> None:
    """Keep the clients that registered by themselves for later runs."""
    if client_ids and client_ids != read_known(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps({"registered": list(client_ids)}, indent=2) + "\n", encoding="utf-8")
        fresh.replace(file)


def _contract() -> Contract:
    try:
        return load_contract(CONTRACT)
    except ContractError as error:
        raise OperatorError(str(error), "Mend access.yaml, then run the command again.") from error


def _admin_url(environment: Environment) -> str:
    return environment.operator_url if isinstance(environment, StackEnvironment) else environment.keycloak_url


def _secrets(folder: Path, contract: Contract) -> dict[str, str]:
    names = [name for name, client in contract.clients.items() if client.kind != "public"]
    return {name: read_secret(folder, name) for name in (*names, *ACCOUNTS) if (folder / name).exists()}


def _lock(environment: Environment) -> Path:
    own = REPOSITORY / "terraform" / "environments" / environment.name / "realm.lock.json"
    return own if own.exists() else LOCK


def _root(declared: Declared, environment: Environment, realm: str, folder: Path) -> Root:
    holders = dict.fromkeys((*declared.contract.clients, *ACCOUNTS), "not-shown")
    values = import_values(declared.public_url, declared.ssl_required, environment.name, holders)
    rendered = render_lock(values, realm, declared.lock)
    return Root(declared=rendered, secret_file={name: str(folder / name) for name in declared.secrets})


def _terraform(wishes: Wishes, environment: Environment, contract: Contract, folder: Path) -> Terraform:
    names = [name for name, client in contract.clients.items() if client.kind != "public"]
    exports = {
        "TF_VAR_admin_client_secret": f'"$(cat {folder / "terraform"})"',
        "TF_VAR_client_secrets": secrets_export(folder, [*names, *ACCOUNTS]),
    }
    if wishes.terraform:
        return Terraform(wishes.terraform, [f"-var-file={file}" for file in wishes.var_files], exports)
    source = environment.recall("realm_source")
    if source == "lock file":
        return Terraform(
            Path(), missing="the realm was imported from the lock file; start afresh: make destroy, make up"
        )
    if source and not isinstance(environment, StackEnvironment):
        secrets = make_secrets(environment, contract)
        realm = TerraformRealm(environment, secrets.clients, secrets.bootstrap)
        return Terraform(realm.folder, realm.options(REALM, "terraform"), exports)
    values = f"-var-file=../environments/{environment.name}/keycloak.tfvars"
    return Terraform(REPOSITORY / "terraform" / "keycloak", [values], exports)
