"""The pods of the service and what keeps enough of them running."""

import hashlib
from typing import Any

from ops.kubernetes.values import (
    CONTRACT_FOLDER,
    MANAGEMENT_PORT,
    NAME,
    PORT,
    SECRETS,
    SECRETS_FOLDER,
    USER,
    Cluster,
)

Manifest = dict[str, Any]

LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": "service"}
_PRE_STOP_S = 5  # until no proxy sends new calls here
_DRAIN_S = 35  # workers have 30 s for calls under way


def manifest(cluster: Cluster, api: str, kind: str, **parts: Any) -> Manifest:
    """Return a resource of ours with its name, namespace and labels."""
    metadata = {"name": NAME, "namespace": cluster.namespace, "labels": LABELS}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}


def namespace(cluster: Cluster) -> Manifest:
    """Return the namespace, which takes only pods that hold the restricted Pod Security Standard."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace, "labels": labels}}


def contract_map(cluster: Cluster, contract: str) -> Manifest:
    """Return the access contract as a file of the pods."""
    return manifest(cluster, "v1", "ConfigMap", data={"access.yaml": contract})


def service(cluster: Cluster) -> Manifest:
    """Return the name by which the edge and Keycloak reach the pods."""
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    return manifest(cluster, "v1", "Service", spec={"selector": LABELS, "ports": ports})


def disruption_budget(cluster: Cluster) -> Manifest:
    """Return how many pods a drained node may take at once."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}}
    return manifest(cluster, "policy/v1", "PodDisruptionBudget", spec=spec)


def autoscaler(cluster: Cluster) -> Manifest:
    """Return what adds pods when those there are busy."""
    target = {"type": "Utilization", "averageUtilization": 70}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
        "minReplicas": cluster.replicas,
        "maxReplicas": cluster.max_replicas,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    return manifest(cluster, "autoscaling/v2", "HorizontalPodAutoscaler", spec=spec)


def deployment(cluster: Cluster, contract: str) -> Manifest:
    """Return the pods: a new one is ready before an old one goes, and another contract makes new ones."""
    digest = hashlib.sha256(contract.encode()).hexdigest()
    spec: Manifest = {
        "selector": {"matchLabels": LABELS},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "minReadySeconds": 5,
        "revisionHistoryLimit": 5,
        "progressDeadlineSeconds": 300,
        "template": {
            "metadata": {"labels": LABELS, "annotations": {"secure-mcp/contract-sha256": digest}},
            "spec": _pod(cluster),
        },
    }
    if cluster.max_replicas == cluster.replicas:  # else the number is the autoscaler's
        spec = {"replicas": cluster.replicas, **spec}
    return manifest(cluster, "apps/v1", "Deployment", spec=spec)


def environment(cluster: Cluster) -> dict[str, str]:
    """Return the settings of the service; secrets are files."""
    rate = cluster.caller_requests_per_minute
    return {
        "SECURE_MCP_ENVIRONMENT": cluster.environment,
        "SECURE_MCP_AUDIENCE": cluster.audience,
        "SECURE_MCP_ISSUER": cluster.issuer,
        "SECURE_MCP_ISSUER_INTERNAL_URL": cluster.issuer_internal_url,
        "SECURE_MCP_ACCESS_CONTRACT": f"{CONTRACT_FOLDER}/access.yaml",
        **{f"SECURE_MCP_{name.upper()}_FILE": f"{SECRETS_FOLDER}/{name}" for name in SECRETS},
        "SECURE_MCP_HOST": "0.0.0.0",  # noqa: S104 - of the pod; the NetworkPolicy says who reaches it
        "SECURE_MCP_PORT": str(PORT),
        "SECURE_MCP_WORKERS": str(cluster.workers),
        **({} if rate is None else {"SECURE_MCP_CALLER_REQUESTS_PER_MINUTE": str(rate)}),
        "SECURE_MCP_MANAGEMENT_HOST": "0.0.0.0",  # noqa: S104 - likewise
        "SECURE_MCP_MANAGEMENT_PORT": str(MANAGEMENT_PORT),
        "SECURE_MCP_TRUSTED_PROXIES": cluster.edge_network,
    }


def _pod(cluster: Cluster) -> Manifest:
    return {
        "automountServiceAccountToken": False,
        # Of a Service called secure-mcp the links would set SECURE_MCP_PORT, which is a setting of ours.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _PRE_STOP_S + _DRAIN_S,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": LABELS},
            }
        ],
        "containers": [_container(cluster)],
        "volumes": [
            {
                "name": "secrets",
                "secret": {
                    "secretName": NAME,
                    "defaultMode": 0o440,
                    "items": [{"key": name, "path": name} for name in SECRETS],
                },
            },
            {"name": "contract", "configMap": {"name": NAME}},
            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
        ],
    }


def _container(cluster: Cluster) -> Manifest:
    memory = f"{cluster.memory}Mi"
    return {
        "name": "service",
        "image": cluster.image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": name, "value": value} for name, value in environment(cluster).items()],
        "ports": [
            {"name": "http", "containerPort": PORT},
            {"name": "management", "containerPort": MANAGEMENT_PORT},
        ],
        "resources": {
            "requests": {"cpu": "250m", "memory": memory},
            "limits": {"cpu": str(cluster.cpus), "memory": memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": _probe(cluster, "/livez", periodSeconds=2, failureThreshold=60),
        "livenessProbe": _probe(cluster, "/livez", periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        # Without keys a token cannot be judged: no call is sent there until there are some.
        "readinessProbe": _probe(cluster, "/readyz", periodSeconds=2, timeoutSeconds=2, failureThreshold=2),
        "lifecycle": {"preStop": {"sleep": {"seconds": _PRE_STOP_S}}},
        "volumeMounts": [
            {"name": "secrets", "mountPath": SECRETS_FOLDER, "readOnly": True},
            {"name": "contract", "mountPath": CONTRACT_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a folder of the pod's own
        ],
    }


def _probe(cluster: Cluster, path: str, **numbers: int) -> Manifest:
    """Return a probe that names the public host: a kubelet names the pod's address, and the service refuses that."""
    headers = [{"name": "Host", "value": cluster.host}]
    return {"httpGet": {"path": path, "port": "http", "httpHeaders": headers}, **numbers}
