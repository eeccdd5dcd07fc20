"""`secure-mcp up` with an engine: checks, images, secrets, containers, realm, proof."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ops.admin import AdminClient
from ops.containers.authority import ensure_authority, ensure_certificate, public_certificate
from ops.containers.database import ensure_monitor
from ops.containers.engine import check_engine, docker, exists, find_engine
from ops.containers.environment import OBSERVERS, PARTS, StackEnvironment
from ops.containers.images import KEYCLOAK_VERSION, Images, ensure_images, features_of_image
from ops.containers.orphans import remove_orphans
from ops.containers.root import TerraformRoot, planned_values
from ops.containers.secret_files import container_files, install, make_secrets
from ops.downgrade import refuse_downgrade
from ops.environment import CONTRACT, REALM, REPOSITORY
from ops.errors import OperatorError
from ops.fingerprint import fingerprint
from ops.locks import exclusive
from ops.output import done, note, short, step
from ops.ports import holder, is_free
from ops.proof import Proof, prove, require_proof
from ops.secrets import ACCOUNTS, BOOTSTRAP_ADMIN, DEMO_USER
from ops.trust import trust_authority
from ops.users import ensure_demo_user
from service.contract import Contract, ContractError, load_contract

# What only the bootstrap administrator can apply; an edit of it makes the next `up` log in as that account once more.
_ACCOUNTS_CODE = [REPOSITORY / "terraform" / "keycloak" / "accounts.tf"]
BOOTSTRAP_TARGET = "-target=terraform_data.bootstrap"
# Where Keycloak tells the service that a session ended: the alias and port of terraform/docker/service.tf.
SERVICE_URL = "http://service:8000"
_VERSION_LABEL = '{{index .Config.Labels "org.opencontainers.image.version"}}'  # of the image, see keycloak.Dockerfile
WAY_BACK = "Go back by the backup of before the upgrade: docs/operations.md, Upgrade Keycloak."


def bring_up(environment: StackEnvironment) -> tuple[list[Proof], bool]:
    """Bring the stack up on the engine and let it prove itself. A second run changes nothing.

    Returns:
        What was proved, and whether anything was changed.

    Raises:
        OperatorError: with the way out; before anything is touched where the engine or a port is the reason.
    """
    with exclusive(environment.run / "up.lock", "brings this environment up"):
        environment, _contract, secrets = prepare(environment)
        changed = platform(environment, secrets)
        changed = realm(environment, secrets) or changed
        if environment.name == "dev":
            make_demo_user(environment, secrets)
        with step("proof"):
            proofs = prove(environment)
        for proof in proofs:
            note(f"{'✓' if proof.holds else '✗'} {proof.sentence} ({proof.seen})")
        require_proof(proofs)
    return proofs, changed


def prepare(environment: StackEnvironment) -> tuple[StackEnvironment, Contract, dict[str, str]]:
    """Check the engine, read the contract, build images, make secrets. Nothing that runs is touched.

    Returns:
        The environment with its URLs, the contract, the secrets by name.
    """
    check_engine(find_engine())
    refuse_downgrade(_keycloak_there(environment), KEYCLOAK_VERSION, WAY_BACK)
    contract = read_contract()
    secrets = make_secrets(environment, contract)
    images = ensure_images(contract)
    environment.remember(service_image=images.service, keycloak_image=images.keycloak)
    root = docker_root(environment, images)
    root.prepare()
    root.plan()
    environment = environment.with_values(planned_values(root.show()))
    return environment, contract, secrets


def platform(environment: StackEnvironment, secrets: Mapping[str, str]) -> bool:
    """Apply terraform/docker as planned: first stage. Returns whether anything changed."""
    images = Images(environment.recall("service_image"), environment.recall("keycloak_image"))
    root = docker_root(environment, images)
    plan = root.show()
    if not (environment.edge_on_host or exists("container", environment.container("edge"))):
        _check_ports(planned_values(plan))
    files = container_files(secrets, certificates(environment), observed=bool(environment.observers))
    install(environment, files, images.service)
    features = features_of_image(images.keycloak)
    if set(environment.recall("keycloak_features") or ()) - set(features):
        # A realm that names a feature fails on a server without it: the realm lets go first.
        realm(environment, secrets)
    environment.remember(keycloak_features=list(features) or None)
    if not any(change["change"]["actions"] != ["no-op"] for change in plan.get("resource_changes", [])):
        done("containers: as declared, nothing changed since")
        ensure_monitor(environment, secrets)
        return False
    remove_orphans(environment, plan)
    with step("terraform apply: networks, volumes, containers, each waited for until healthy"):
        root.apply()
    ensure_monitor(environment, secrets)
    return True


def realm(environment: StackEnvironment, secrets: Mapping[str, str], login: Mapping[str, str] | None = None) -> bool:
    """Apply terraform/keycloak: second stage. Returns whether anything changed.

    The bootstrap administrator makes the realm and the account `terraform`; everything else is done by that account.

    Args:
        environment: the environment.
        secrets: the secrets as they shall be.
        login: the secrets as they are, where that differs for the account that logs in.
    """
    login = login or secrets
    trust_authority(environment.authority)
    accounts = fingerprint(_ACCOUNTS_CODE, {})
    if environment.recall("realm_bootstrapped") != accounts:
        root = realm_root(environment, secrets, "master", BOOTSTRAP_ADMIN, login)
        root.prepare()
        with step("terraform apply: realm and Terraform's own account, as the bootstrap administrator"):
            if root.plan(BOOTSTRAP_TARGET):
                root.apply()
        environment.remember(realm_bootstrapped=accounts)
    root = realm_root(environment, secrets, REALM, "terraform", login)
    root.prepare()
    with step("terraform plan and apply: the realm, as the account `terraform`"):
        changed = root.plan()
        if changed:
            root.apply()
    return changed


def make_demo_user(environment: StackEnvironment, secrets: Mapping[str, str]) -> None:
    """Make the user `demo` of a development environment."""
    if environment.recall("demo_user"):
        return
    with AdminClient(environment.operator_url, "master", BOOTSTRAP_ADMIN, secrets[BOOTSTRAP_ADMIN]) as admin:
        ensure_demo_user(admin, REALM, secrets[DEMO_USER])
    environment.remember(demo_user=True)
    done(f"user demo (password in {short(environment.secrets / DEMO_USER)})")


def docker_root(environment: StackEnvironment, images: Images) -> TerraformRoot:
    """Return terraform/docker of the environment."""
    return TerraformRoot(environment, "docker", {"service_image": images.service, "keycloak_image": images.keycloak})


def realm_root(
    environment: StackEnvironment,
    secrets: Mapping[str, str],
    admin_realm: str,
    client_id: str,
    login: Mapping[str, str],
) -> TerraformRoot:
    """Return terraform/keycloak of the environment, logged in through the operator's door."""
    clients = {name: value for name, value in secrets.items() if name in confidential(read_contract())}
    variables = {
        "admin_realm": admin_realm,
        "admin_client_id": client_id,
        "environment": environment.name,
        "keycloak_ca_certificate": environment.authority.read_text(encoding="ascii"),
        "keycloak_public_url": environment.keycloak_url,
        "keycloak_url": environment.operator_url,
        "public_url": environment.public_url,
        "service_url": SERVICE_URL,
        # A new secret is sent to Keycloak because its version changes with it.
        "client_secret_versions": json.dumps({name: _digest(text) for name, text in sorted(clients.items())}),
    }
    return TerraformRoot(
        environment,
        "keycloak",
        variables,
        {"client_secrets": json.dumps(clients), "admin_client_secret": login[client_id]},
    )


def confidential(contract: Contract) -> set[str]:
    """Return the clients that have a secret, the operator's accounts included."""
    return {client_id for client_id, client in contract.clients.items() if client.kind != "public"} | set(ACCOUNTS)


def certificates(environment: StackEnvironment) -> dict[str, Path]:
    """Return certificate and key files for the edge, by the names that they have in the container.

    Where the host has the edge there is no container for them: the operator's pair is made and none is returned.
    """
    folder = environment.authority.parent
    ensure_authority(folder)
    operator = ensure_certificate(folder, "operator", ["localhost"])
    if environment.edge_on_host:
        return {}
    hosts = sorted({urlsplit(url).hostname or "" for url in (environment.public_url, environment.keycloak_url)})
    public = public_certificate(environment.secrets, folder, hosts, own=environment.name == "dev")
    names = ("tls.crt", "tls.key", "operator.crt", "operator.key")
    return dict(zip(names, (*public, *operator), strict=True))


def read_contract() -> Contract:
    """Return the access contract.

    Raises:
        OperatorError: it is wrong.
    """
    try:
        return load_contract(CONTRACT)
    except ContractError as error:
        raise OperatorError(str(error), "Mend access.yaml, then run the command again.") from error


def take_down(environment: StackEnvironment) -> None:
    """Stop the containers and keep everything; `up` starts them again."""
    for part in (*OBSERVERS, "edge", "service", "keycloak", "redis", "postgres"):
        if exists("container", environment.container(part)):
            docker("stop", environment.container(part))
            done(f"{part} stopped")


def destroy(environment: StackEnvironment) -> None:
    """Delete containers, networks and volumes, data included. The secrets on this machine stay.

    Raises:
        OperatorError: the environment is protected.
    """
    images = Images(environment.recall("service_image") or "none", environment.recall("keycloak_image") or "none")
    root = docker_root(environment, images)
    root.prepare()
    with step("terraform destroy"):
        root.destroy()
    for part in (*PARTS, *OBSERVERS):
        if exists("volume", environment.container(f"secrets-{part}")):
            docker("volume", "rm", environment.container(f"secrets-{part}"))
    environment.remember(engine=None, realm_bootstrapped=None, demo_user=None, observers=None, monitor_role=None)
    (environment.state / "terraform" / "terraform" / "keycloak" / "terraform.tfstate").unlink(missing_ok=True)


def _keycloak_there(environment: StackEnvironment) -> str:
    """Return the version of the container of Keycloak, whether it runs or not; an empty text where there is none."""
    container = environment.container("keycloak")
    if not exists("container", container):
        return ""
    return docker("container", "inspect", f"--format={_VERSION_LABEL}", container).decode().strip()


def _check_ports(values: Mapping[str, Any]) -> None:
    for name, port in sorted(values["ports"].items()):
        if not is_free(port):
            raise OperatorError(
                f"Port {port} ({name}) is in use by {holder(port)}.",
                "End that program, or give other `ports` in docker.tfvars.json of the state folder.",
            )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:12]
