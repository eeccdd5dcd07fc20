"""What a cluster's manifests are made of, checked by the rules that the service itself starts by."""

import re
from dataclasses import dataclass
from typing import Final

from ops.errors import OperatorError
from service.settings_checks import RULES

PORT: Final = 8000
MANAGEMENT_PORT: Final = 9464
REDIS_PORT: Final = 6379
USER: Final = 10001  # of the image, see Dockerfile
CONTRACT_FOLDER: Final = "/etc/secure-mcp"
SECRETS_FOLDER: Final = "/run/secrets"
SECRETS: Final = ("client_secret", "redis_url")
NAME: Final = "secure-mcp"

_IMAGE: Final = re.compile(
    r"[a-z0-9][a-z0-9._:/-]*[a-z0-9](:(?P<tag>[\w][\w.-]{0,127})|@sha256:[0-9a-f]{64})", re.ASCII
)
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PEER: Final = re.compile(r"(?P<host>[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What differs from cluster to cluster.

    Args:
        image: of the service, with a tag or a digest.
        public_url: origin of the service, as callers know it.
        keycloak_public_url: origin of Keycloak, likewise.
        edge_network: addresses of the pods of the ingress controller (CIDR); their X-Forwarded-For is believed.
        edge_namespace: where that controller runs; nobody else but Keycloak may call the service.
        namespace: for everything that is made here; Keycloak and Redis are in it as well.
        keycloak: Service and port of Keycloak.
        monitoring_namespace: where Prometheus runs.
        environment: staging or prod.
        realm: name of the realm.
        replicas: pods.
        max_replicas: pods under load; the same number means no autoscaling.
        workers: processes in each pod.
        caller_requests_per_minute: that one caller may send, to all pods; None means any number.
        memory: MiB of a pod.
        cpus: cores that a pod may take.

    Raises:
        OperatorError: a value is wrong.
    """

    image: str
    public_url: str
    keycloak_public_url: str
    edge_network: str
    edge_namespace: str = "ingress-nginx"
    namespace: str = NAME
    keycloak: str = "keycloak-service:8080"
    monitoring_namespace: str = "monitoring"
    environment: str = "prod"
    realm: str = "mcp-realm"
    replicas: int = 2
    max_replicas: int = 2
    workers: int = 2
    caller_requests_per_minute: int | None = 3000
    memory: int = 512
    cpus: int = 2

    def __post_init__(self) -> None:
        found = _IMAGE.fullmatch(self.image)
        if not found or found["tag"] == "latest":
            raise _wrong(
                "--image", self.image, "write it with a version or a digest, such as registry/secure-mcp:1.2.0"
            )
        if not _PEER.fullmatch(self.keycloak):
            raise _wrong("--keycloak", self.keycloak, "write a Service and its port, such as keycloak-service:8080")
        for option in ("namespace", "edge_namespace", "monitoring_namespace"):
            if not _LABEL.fullmatch(getattr(self, option)):
                raise _wrong(f"--{option.replace('_', '-')}", getattr(self, option), "write the name of a namespace")
        if self.max_replicas < self.replicas:
            raise _wrong("--max-replicas", str(self.max_replicas), f"write at least --replicas, {self.replicas}")
        checked: tuple[tuple[str, str, object], ...] = (
            ("--public-url", "cors_origins", (self.public_url,)),
            ("--public-url", "audience", self.audience),
            ("--keycloak-public-url", "cors_origins", (self.keycloak_public_url,)),
            ("--keycloak-public-url", "issuer", self.issuer),
            ("--keycloak", "issuer_internal_url", self.issuer_internal_url),
            ("--edge-network", "trusted_proxies", (self.edge_network,)),
        )
        for option, setting, value in checked:
            if problem := RULES[setting](value, False):
                raise OperatorError(
                    f"{option} {problem}.", f"The setting that it makes is {setting}: docs/settings.md."
                )

    @property
    def audience(self) -> str:
        """The canonical URL of the MCP server."""
        return f"{self.public_url}/mcp"

    @property
    def issuer(self) -> str:
        """The exact `iss` of access tokens."""
        return f"{self.keycloak_public_url}/realms/{self.realm}"

    @property
    def issuer_internal_url(self) -> str:
        """The realm as the service reaches it."""
        return f"http://{self.keycloak}/realms/{self.realm}"

    @property
    def host(self) -> str:
        """Host, and port where it is not the usual one, that callers name."""
        return self.public_url.partition("://")[2]

    @property
    def keycloak_port(self) -> int:
        """Port of Keycloak's pods, the same as of its Service."""
        return int(self.keycloak.rpartition(":")[2])


def _wrong(option: str, value: str, remedy: str) -> OperatorError:
    return OperatorError(f"{option} is {value[:80]!r}.", f"{remedy[0].upper()}{remedy[1:]}.")
