"""Who may speak with the service, and with whom it may: everything else is refused, in both directions."""

from typing import Any

from ops.kubernetes.values import MANAGEMENT_PORT, PORT, REDIS_PORT, Cluster
from ops.kubernetes.workload import LABELS, Manifest, manifest

KEYCLOAK_LABELS = {"app": "keycloak", "app.kubernetes.io/managed-by": "keycloak-operator"}
REDIS_LABELS = {"app.kubernetes.io/name": "redis"}
DNS_LABELS = {"k8s-app": "kube-dns"}


def network_policy(cluster: Cluster) -> Manifest:
    """Return the policy: in from edge, Keycloak (logouts) and Prometheus; out to DNS, Keycloak and Redis."""
    keycloak, redis = {"podSelector": {"matchLabels": KEYCLOAK_LABELS}}, {"podSelector": {"matchLabels": REDIS_LABELS}}
    dns = {**_namespace("kube-system"), "podSelector": {"matchLabels": DNS_LABELS}}
    spec = {
        "podSelector": {"matchLabels": LABELS},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [_namespace(cluster.edge_namespace), keycloak], "ports": [_port(PORT)]},
            {"from": [_namespace(cluster.monitoring_namespace)], "ports": [_port(MANAGEMENT_PORT)]},
        ],
        "egress": [
            {"to": [dns], "ports": [_port(53, "UDP"), _port(53)]},
            {"to": [keycloak], "ports": [_port(cluster.keycloak_port)]},
            {"to": [redis], "ports": [_port(REDIS_PORT)]},
        ],
    }
    return manifest(cluster, "networking.k8s.io/v1", "NetworkPolicy", spec=spec)


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _port(number: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"protocol": protocol, "port": number}
