"""The parts of an environment that are processes, as objects: the same for up, down and status."""

from dataclasses import dataclass

from ops.environment import Environment
from ops.keycloak import KeycloakServer
from ops.realm import import_values
from ops.secrets import ACCOUNTS, BOOTSTRAP_ADMIN, ensure_secret, ensure_secrets
from ops.service import ServiceProcess, service_environment
from service.contract import Contract

SSL_REQUIRED = "external"  # http is for the loopback interface only


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of an environment: of each confidential client by client id, and of the bootstrap administrator."""

    clients: dict[str, str]
    bootstrap: str


def make_secrets(environment: Environment, contract: Contract) -> Secrets:
    """Return the secrets of an environment; those that are missing are made."""
    names = [client_id for client_id, client in contract.clients.items() if client.kind != "public"]
    clients = ensure_secrets(environment.secrets, [*names, *ACCOUNTS])
    return Secrets(clients, ensure_secret(environment.secrets, BOOTSTRAP_ADMIN))


def keycloak_of(environment: Environment, secrets: Secrets | None = None) -> KeycloakServer:
    """Return the Keycloak of an environment.

    Args:
        environment: the environment.
        secrets: needed to start it, not to look at it or to stop it.
    """
    values = {}
    if secrets:
        values = import_values(environment.public_url, SSL_REQUIRED, environment.name, secrets.clients)
    return KeycloakServer(
        environment.state / "keycloak",
        environment.keycloak_port,
        environment.management_port,
        secrets.bootstrap if secrets else "",
        values,
        log=environment.log("keycloak"),
        pid_file=environment.pid_file("keycloak"),
    )


def service_of(environment: Environment) -> ServiceProcess:
    """Return the MCP service of an environment."""
    return ServiceProcess(service_environment(environment), environment.log("service"), environment.pid_file("service"))
