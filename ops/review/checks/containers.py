"""What a container may do to its host: rights, mounts, namespaces, limits. Ports, images and settings stand beside."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.plan import Change, Plan, blocks, texts
from ops.review.rules import Hit, about, hit

KINDS = ("docker_container", "docker_service")
_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock")
_SYSTEM = ("/", "/boot", "/dev", "/etc", "/home", "/lib", "/proc", "/root", "/run", "/sys", "/usr", "/var", "/var/lib",
           "/var/lib/docker", "/var/run")  # fmt: skip
_NAMESPACES = {"network_mode": "network", "pid_mode": "processes", "ipc_mode": "memory", "userns_mode": "users",
               "cgroupns_mode": "control groups"}  # fmt: skip
_UNCONFINED = {
    "seccomp=unconfined": "a filter of system calls",
    "seccomp:unconfined": "a filter of system calls",
    "apparmor=unconfined": "AppArmor",
    "apparmor:unconfined": "AppArmor",
    "label=disable": "SELinux",
    "label:disable": "SELinux",
    "systempaths=unconfined": "protection of /proc and /sys",
}


def container(kind: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a container; those of a Swarm service are put into the same shape."""
    if kind != "docker_service" or not values:
        return values
    task = _only(values.get("task_spec"))
    spec = _only(task.get("container_spec"))
    limits = _only(_only(task.get("resources")).get("limits"))
    return {
        **{name: spec.get(name) for name in ("image", "user", "read_only", "mounts", "healthcheck", "command")},
        "name": values.get("name"),
        "env": [f"{name}={value}" for name, value in (spec.get("env") or {}).items()],
        "capabilities": [{"add": spec.get("cap_add"), "drop": spec.get("cap_drop")}],
        "memory": limits.get("memory_bytes"),
        "ports": [
            {"ip": "0.0.0.0", "internal": port.get("target_port"), "external": port.get("published_port")}  # noqa: S104
            for port in blocks(_only(values.get("endpoint_spec")).get("ports"))
        ],
        "networks_advanced": task.get("networks_advanced"),
        "log_driver": _only(task.get("log_driver")).get("name"),
    }


def both(change: Change) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the container before and after."""
    return container(change.type, change.before), container(change.type, change.after)


def _only(value: object) -> Mapping[str, Any]:
    found = blocks(value)
    return found[0] if found else {}


@about(*KINDS)
def rights(change: Change, plan: Plan) -> Iterator[Hit]:
    """Privileges, capabilities, devices, user."""
    name, (before, after) = plan.names.own(change), both(change)
    if not change.remains:
        return
    if after.get("privileged") and not before.get("privileged"):
        yield hit("container-privileged", name=name)
    old, new = (_only(values.get("capabilities")) for values in (before, after))
    for capability in sorted(set(texts(new.get("add"))) - set(texts(old.get("add")))):
        yield hit("container-capability", name=name, capability=capability)
    if not _drops_all(new) and (not change.existed or _drops_all(old)):
        yield hit("container-capabilities-kept", name=name)
    for device in blocks(after.get("devices")):
        if device not in blocks(before.get("devices")):
            yield hit("container-device", name=name, device=device.get("host_path"))
    if _is_root(after) and (not change.existed or not _is_root(before)):
        yield hit("container-root", name=name, user="root" if after.get("user") else "the user of its image, or root")


def _drops_all(capabilities: Mapping[str, Any]) -> bool:
    return any(name.upper() in ("ALL", "CAP_ALL") for name in texts(capabilities.get("drop")))


def _is_root(values: Mapping[str, Any]) -> bool:
    return str(values.get("user") or "").split(":")[0] in ("", "0", "root")


@about("docker_container")
def confinement(change: Change, plan: Plan) -> Iterator[Hit]:
    """Namespaces and what keeps a program inside; a Swarm service has no such arguments."""
    name, (before, after) = plan.names.own(change), both(change)
    if not change.remains:
        return
    for attribute, what in _NAMESPACES.items():
        value = str(after.get(attribute) or "")
        if value != before.get(attribute) and (value == "host" or value.startswith("container:")):
            yield hit("container-host-namespace", name=name, what=what)
    options, old = texts(after.get("security_opts")), texts(before.get("security_opts"))
    for option in options:
        if option in _UNCONFINED and option not in old:
            yield hit("container-unconfined", name=name, what=_UNCONFINED[option])
    if not _no_new(options) and (not change.existed or _no_new(old)) and not change.is_unknown("security_opts"):
        yield hit("container-privileges-grow", name=name)


def _no_new(options: list[str]) -> bool:
    return any(
        option in ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true") for option in options
    )


@about(*KINDS)
def file_systems(change: Change, plan: Plan) -> Iterator[Hit]:
    """What it mounts, and whether it may change itself."""
    name, (before, after) = plan.names.own(change), both(change)
    if not change.remains:
        return
    if not after.get("read_only") and (not change.existed or before.get("read_only")):
        yield hit("container-writable", name=name)
    old = {(mount["source"], mount["target"]): mount["read_only"] for mount in _mounts(before)}
    for mount in _mounts(after):
        source, target, key = mount["source"], mount["target"], (mount["source"], mount["target"])
        if old.get(key) == mount["read_only"] and key in old:
            continue
        if key in old and not mount["read_only"]:
            yield hit("container-mount-writable", name=name, target=target)
        elif mount["host"] and source.endswith(_SOCKETS):
            yield hit("container-socket", name=name, source=source)
        elif mount["host"] and (source.rstrip("/") or "/") in _SYSTEM:
            yield hit("container-host-path", name=name, source=source)
        elif mount["host"] and not mount["read_only"]:
            yield hit("container-host-writable", name=name, source=source)


def _mounts(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for mount in blocks(values.get("mounts")):
        yield {
            "source": str(mount.get("source") or ""),
            "target": str(mount.get("target") or ""),
            "read_only": bool(mount.get("read_only")),
            "host": mount.get("type") == "bind",
        }
    for volume in blocks(values.get("volumes")):
        yield {
            "source": str(volume.get("host_path") or volume.get("volume_name") or ""),
            "target": str(volume.get("container_path") or ""),
            "read_only": bool(volume.get("read_only")),
            "host": bool(volume.get("host_path")),
        }


@about(*KINDS)
def care(change: Change, plan: Plan) -> Iterator[Hit]:
    """Limits, health, log and restart."""
    name, (before, after) = plan.names.own(change), both(change)
    if not change.remains:
        return
    if not after.get("memory") and (not change.existed or before.get("memory")):
        yield hit("container-no-limit", name=name, what="memory")
    old, new = ({str(limit.get("name")) for limit in blocks(values.get("ulimit"))} for values in (before, after))
    if "nproc" in old - new:
        yield hit("container-no-limit", name=name, what="processes")
    test = texts(_only(after.get("healthcheck")).get("test"))
    had = texts(_only(before.get("healthcheck")).get("test"))
    if test == ["NONE"] != had or (change.existed and had and not test and not change.is_unknown("healthcheck")):
        yield hit("container-no-health", name=name)
    driver = after.get("log_driver")
    if driver == "none" != before.get("log_driver"):
        yield hit("container-log-lost", name=name, what="is thrown away")
    elif (before.get("log_opts") or {}).get("max-size") and not (after.get("log_opts") or {}).get("max-size"):
        yield hit("container-log-lost", name=name, what="may grow without end")
    if before.get("restart") not in (None, "no") and after.get("restart") == "no":
        yield hit("container-no-restart", name=name)
