"""`secure-mcp up`: from nothing to a stack that has proved itself; a step with nothing to do does nothing."""

from ops.admin import AdminClient
from ops.distribution import VERSION, ensure_distribution
from ops.downgrade import refuse_downgrade
from ops.environment import CONTRACT, REALM, REPOSITORY, Environment
from ops.errors import OperatorError
from ops.features import features_of_contract, features_of_realm
from ops.fingerprint import fingerprint
from ops.keycloak import BOOTSTRAP_CLIENT, KeycloakServer, features_of, make_instance, version_of
from ops.locks import exclusive
from ops.metrics_port import choose_metrics_port
from ops.output import done, note, short, step
from ops.parts import Secrets, keycloak_of, make_secrets, service_of
from ops.ports import require_free
from ops.proof import Proof, prove, require_proof
from ops.realm import LOCK, read_lock
from ops.secrets import DEMO_USER, ensure_secret
from ops.service import service_environment
from ops.terraform import TerraformRealm
from ops.users import ensure_demo_user
from service.contract import Contract, ContractError, load_contract

TERRAFORM = "terraform"
LOCK_FILE = "lock file"


def bring_up(environment: Environment) -> list[Proof]:
    """Bring the stack up and let it prove itself.

    Raises:
        OperatorError: with the way out.
    """
    if environment.name != "dev":
        raise OperatorError(
            f"`up` runs the stack on this machine without TLS, which {environment.name} must not be.",
            f"Unset SECURE_MCP_ENVIRONMENT; {environment.name} is applied by terraform, see terraform/README.md.",
        )
    try:
        contract = load_contract(CONTRACT)
    except ContractError as error:
        raise OperatorError(str(error), "Mend access.yaml, then run the command again.") from error
    environment.run.mkdir(parents=True, exist_ok=True)
    environment.state.chmod(0o700)
    with exclusive(environment.run / "up.lock", "brings this environment up"):
        secrets = make_secrets(environment, contract)
        _move(environment)
        server = keycloak_of(environment, secrets)
        if server.pid is None:
            _check_ports(environment)
        realm = TerraformRealm(environment, secrets.clients, secrets.bootstrap)
        source = _choose_source(environment, realm)
        _bring_up_realm(environment, server, realm, source, contract)
        _make_demo_user(environment, secrets)
        _start_service(environment)
        with step("proof"):
            proofs = prove(environment)
        for proof in proofs:
            note(f"{'✓' if proof.holds else '✗'} {proof.sentence} ({proof.seen})")
        require_proof(proofs)
    return proofs


def _move(environment: Environment) -> None:
    """Keep the ports for later commands; where they changed, what runs on the old ones is stopped first."""
    ports = {
        "port": environment.port,
        "keycloak_port": environment.keycloak_port,
        "management_port": environment.management_port,
    }
    before = {name: environment.recall(name) for name in ports}
    if any(before.values()) and before != ports:
        if environment.recall("realm_source") == LOCK_FILE and before["port"] != environment.port:
            raise OperatorError(
                f"The realm was imported for port {before['port']}, and its audience names that port.",
                f"Go on with SECURE_MCP_PORT={before['port']}, or start afresh: make destroy, then make up.",
            )
        if any([service_of(environment).stop(), keycloak_of(environment).stop()]):
            note("the ports changed: what ran on the old ones was stopped")
    environment.remember(**ports)


def _check_ports(environment: Environment) -> None:
    require_free(environment.keycloak_port, "Keycloak", "SECURE_MCP_KEYCLOAK_PORT")
    require_free(environment.management_port, "Keycloak's health and metrics", "SECURE_MCP_KEYCLOAK_MANAGEMENT_PORT")
    if service_of(environment).pid is None:
        require_free(environment.port, "the service", "SECURE_MCP_PORT")


def _choose_source(environment: Environment, realm: TerraformRealm) -> str:
    source: str | None = environment.recall("realm_source")
    if source is None:
        reason = realm.unavailable()
        source = LOCK_FILE if reason else TERRAFORM
        environment.remember(realm_source=source)
        if reason:
            note(f"realm: Keycloak imports {short(LOCK)}, because {reason}")
        else:
            note("realm: Terraform applies terraform/keycloak, because terraform and its Keycloak provider are here")
    return source


def _bring_up_realm(
    environment: Environment, server: KeycloakServer, realm: TerraformRealm, source: str, contract: Contract
) -> None:
    """Start the server with the features that the realm needs, and declare the realm."""
    built = features_of(server.home)
    if source == LOCK_FILE:
        # An imported realm does not follow the contract: it keeps what the server was made with.
        wanted = built if server.home.exists() else features_of_realm(read_lock())
    else:
        wanted = features_of_contract(contract.registration)
    if set(built) - set(wanted):
        # A realm that names a feature fails on a server without it: the realm lets go first.
        _start_keycloak(environment, server, source, built)
        realm.apply()
    _start_keycloak(environment, server, source, wanted)
    if source == TERRAFORM and not realm.apply():
        done("realm: as Terraform applied it, nothing changed since")


def _start_keycloak(environment: Environment, server: KeycloakServer, source: str, features: tuple[str, ...]) -> None:
    built = (version_of(server.home), features_of(server.home))
    refuse_downgrade(built[0], VERSION, "Go on with the newer release, or begin anew: make destroy.")
    if server.home.exists() and built != (VERSION, features) and server.stop():
        named = ", ".join(features) or "those of the release"
        note(f"Keycloak {built[0]} is started anew as {VERSION}, features: {named}")
    if server.pid is not None and server.is_ready():
        done(f"Keycloak runs already (pid {server.pid})")
        return
    if server.pid is None and make_instance(ensure_distribution(features), server.home):
        environment.remember(terraform_account=None, terraform_applied=None, demo_user=None)
    if source == LOCK_FILE and not LOCK.exists():
        raise OperatorError(f"{short(LOCK)} is missing.", f"Restore it from git: git checkout -- {short(LOCK)}")
    with step("start Keycloak"):
        if server.pid is None:
            server.start(LOCK if source == LOCK_FILE else None)
        server.wait_ready()


def _make_demo_user(environment: Environment, secrets: Secrets) -> None:
    if environment.recall("demo_user"):
        return
    password = ensure_secret(environment.secrets, DEMO_USER)
    with AdminClient(environment.keycloak_url, "master", BOOTSTRAP_CLIENT, secrets.bootstrap) as admin:
        ensure_demo_user(admin, REALM, password)
    environment.remember(demo_user=True)
    done(f"user demo (password in {short(environment.secrets / DEMO_USER)})")


def _start_service(environment: Environment) -> None:
    """Start the service, or start it anew where its code, its settings or the contract changed."""
    choose_metrics_port(environment, running=service_of(environment).pid is not None)
    service = service_of(environment)
    settings = {
        name: value for name, value in service_environment(environment).items() if name.startswith("SECURE_MCP_")
    }
    code = (REPOSITORY / "service", REPOSITORY / "requirements" / "service.txt", CONTRACT)
    mark = fingerprint(code, settings)
    if service.pid is not None and environment.recall("service_started") == mark and service.is_ready():
        done(f"the service runs already (pid {service.pid})")
        return
    with step("start the service"):
        if service.stop():
            note("its code or settings changed, or it was not ready: it is started anew")
        require_free(environment.port, "the service", "SECURE_MCP_PORT")
        service.start()
        service.wait_ready()
    environment.remember(service_started=mark)
