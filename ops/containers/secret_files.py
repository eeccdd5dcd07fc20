"""The stack's secrets: one file each on this machine, and the files that each container gets of them.

A container's files live in a volume of its own, mode 0400, owned by the container's user, mounted read-only. They
travel as a tar stream through the engine, so no secret is an argument, a variable or a part of Terraform's state,
and the engine may be on another machine.
"""

import hashlib
import io
import json
import os
import secrets as random
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

from ops.containers.engine import docker, exists
from ops.containers.environment import StackEnvironment
from ops.errors import OperatorError
from ops.secrets import ACCOUNTS, BOOTSTRAP_ADMIN, DEMO_USER, ensure_secret, ensure_secrets, read_secret
from service.contract import Contract

POSTGRES_ADMIN = "postgres_admin_password"
POSTGRES = "postgres_password"
REDIS = "redis_password"
# Of the accounts `monitor`, with which the exporters of the part `observability` look.
POSTGRES_MONITOR = "postgres_monitor_password"
REDIS_MONITOR = "redis_monitor_password"
SERVICE_CLIENT = "mcp-server"
# Users of the containers, as terraform/docker declares them (common/images.tf, observability.tf).
_USERS = {
    "edge": (10004, 10004),
    "keycloak": (10003, 0),
    "postgres": (999, 999),
    "postgres-exporter": (10010, 10010),
    "redis": (10002, 10002),
    "redis-exporter": (10009, 10009),
    "service": (10001, 10001),
}

# What has to be restarted for a new value, and what else has to happen (see `ops.containers.rotation`).
RESTARTS = {
    POSTGRES_ADMIN: (),
    POSTGRES: ("keycloak",),
    REDIS: ("redis", "service"),
    POSTGRES_MONITOR: ("postgres-exporter",),
    REDIS_MONITOR: ("redis", "redis-exporter"),
    SERVICE_CLIENT: ("service",),
}


def secret_names(contract: Contract) -> list[str]:
    """Return the names of all secrets of an environment."""
    clients = [client_id for client_id, client in contract.clients.items() if client.kind != "public"]
    own = [POSTGRES_ADMIN, POSTGRES, POSTGRES_MONITOR, REDIS, REDIS_MONITOR]
    return sorted([*clients, *ACCOUNTS, BOOTSTRAP_ADMIN, DEMO_USER, *own])


def make_secrets(environment: StackEnvironment, contract: Contract) -> dict[str, str]:
    """Return all secrets by name; those that are missing are made, and none is replaced."""
    environment.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ensure_secrets(environment.secrets, secret_names(contract))


def replace_secret(environment: StackEnvironment, name: str) -> str:
    """Make a new value for a secret and return it; the old one is kept as NAME.previous until the next rotation.

    Raises:
        OperatorError: there is no such secret.
    """
    old = read_secret(environment.secrets, name)
    previous = environment.secrets / f"{name}.previous"
    previous.unlink(missing_ok=True)
    descriptor = os.open(previous, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(old)
    (environment.secrets / name).unlink()
    fresh = ensure_secret(environment.secrets, name)
    if fresh == old:
        raise OperatorError(f"{name} was not replaced.", "Run the command again.")
    return fresh


def container_files(
    secrets: Mapping[str, str], certificates: Mapping[str, Path], *, observed: bool
) -> dict[str, dict[str, bytes]]:
    """Return the secret files of each container by name.

    Args:
        secrets: all secrets by name.
        certificates: files `tls.crt`, `tls.key`, `operator.crt`, `operator.key` by name; none for a host edge.
        observed: whether the part `observability` is there.
    """
    digest, of_monitor = (hashlib.sha256(secrets[name].encode()).hexdigest() for name in (REDIS, REDIS_MONITOR))
    acl = [
        "user default off",
        # Only our own keys, nothing that looks at or changes the server.
        f"user service on #{digest} resetchannels ~secure-mcp:* &secure-mcp:* +@all -@admin -@dangerous",
        # Numbers about the server; no key, no channel, no setting.
        f"user monitor on #{of_monitor} resetkeys resetchannels -@all +ping +info",
    ]
    keycloak = {"db-password": secrets[POSTGRES], "bootstrap-admin-client-secret": secrets[BOOTSTRAP_ADMIN]}
    texts = {
        "postgres": {
            POSTGRES_ADMIN: secrets[POSTGRES_ADMIN],
            POSTGRES: secrets[POSTGRES],
            "pgpass": f"*:*:*:postgres:{secrets[POSTGRES_ADMIN]}\n*:*:*:keycloak:{secrets[POSTGRES]}\n",
        },
        "redis": {"redis_users.acl": "\n".join(acl) + "\n"},
        "keycloak": {"keycloak.conf": "".join(f"{name}={value}\n" for name, value in keycloak.items())},
        "service": {
            "client_secret": secrets[SERVICE_CLIENT],
            "redis_url": f"redis://service:{secrets[REDIS]}@redis:6379/0",
        },
    }
    if observed:
        texts["redis-exporter"] = {"passwords.json": json.dumps({"redis://monitor@redis:6379": secrets[REDIS_MONITOR]})}
        texts["postgres-exporter"] = {"password": secrets[POSTGRES_MONITOR]}
    files = {part: {name: text.encode() for name, text in content.items()} for part, content in texts.items()}
    if certificates:
        files["edge"] = {name: path.read_bytes() for name, path in certificates.items()}
    return files


def install(environment: StackEnvironment, files: Mapping[str, Mapping[str, bytes]], image: str) -> None:
    """Put the files into the containers' secret volumes; those of running containers change at once.

    Args:
        environment: the environment.
        files: content by name by part.
        image: any image that the engine has; nothing in it is run.
    """
    for part, content in files.items():
        volume = environment.container(f"secrets-{part}")
        if not exists("volume", volume):
            docker("volume", "create", f"--label=secure-mcp.environment={environment.name}", volume)
        helper = f"{volume}-{random.token_hex(4)}"
        docker("create", f"--name={helper}", "--network=none", f"--volume={volume}:/secrets", image, "true")
        try:
            docker("cp", "-", f"{helper}:/secrets", stdin=_archive(content, *_USERS[part]))
        finally:
            docker("rm", helper)


def _archive(files: Mapping[str, bytes], user: int, group: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid, entry.mtime = (
                len(content),
                0o400,
                user,
                group,
                int(time.time()),
            )
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
