"""The restricted level of Kubernetes's Pod Security Standards, control by control, on the specification of a pod."""

from collections.abc import Callable, Iterator
from typing import Any

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
PROFILES = {"RuntimeDefault", "Localhost"}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for kind in ("initContainers", "containers", "ephemeralContainers") for one in pod.get(kind, [])]


def contexts(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the security contexts of the pod and of its containers."""
    return [part.get("securityContext", {}) for part in (pod, *containers(pod))]


def everywhere(pod: dict[str, Any], name: str, allowed: Callable[[Any], bool]) -> bool:
    """Say whether a field has an allowed value in each container, its own or else the pod's."""
    of_pod, *own = contexts(pod)
    return all(allowed(context.get(name, of_pod.get(name))) for context in own)


def broken(pod: dict[str, Any]) -> list[str]:
    """Return the controls that a pod does not keep."""
    return [name for name, kept in _controls(pod) if not kept]


def _controls(pod: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    own = contexts(pod)[1:]
    yield "host namespaces", not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    yield "host process", not any(part.get("windowsOptions", {}).get("hostProcess") for part in contexts(pod))
    yield "privileged", not any(part.get("privileged") for part in own)
    yield "volume types", all(set(volume) - {"name"} <= VOLUMES for volume in pod.get("volumes", []))
    ports = [port for container in containers(pod) for port in container.get("ports", [])]
    yield "host ports", not any(port.get("hostPort") for port in ports)
    profiles = [part.get("appArmorProfile", {}).get("type", "RuntimeDefault") for part in contexts(pod)]
    yield "AppArmor", set(profiles) <= PROFILES
    selinux = [part.get("seLinuxOptions", {}) for part in contexts(pod)]
    yield (
        "SELinux",
        all(part.get("type", "") in SELINUX and not part.get("user") and not part.get("role") for part in selinux),
    )
    yield "proc mount", all(part.get("procMount", "Default") == "Default" for part in own)
    yield "sysctls", {one["name"] for one in contexts(pod)[0].get("sysctls", [])} <= SYSCTLS
    yield "privilege escalation", all(part.get("allowPrivilegeEscalation") is False for part in own)
    yield "running as non-root", everywhere(pod, "runAsNonRoot", lambda value: value is True)
    yield "running as root user", everywhere(pod, "runAsUser", lambda value: value != 0)
    yield "seccomp", everywhere(pod, "seccompProfile", lambda value: (value or {}).get("type") in PROFILES)
    capabilities = [part.get("capabilities", {}) for part in own]
    yield (
        "capabilities",
        all(
            "ALL" in part.get("drop", []) and set(part.get("add", [])) <= {"NET_BIND_SERVICE"} for part in capabilities
        ),
    )
