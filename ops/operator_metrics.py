"""What only the operator's machine knows, for Prometheus: certificates, the last backup, drift of the realm, the disk.

`secure-mcp metrics --output FILE.prom` from a timer, and node_exporter's textfile collector shows it.
"""

import shutil
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from ops.environment import Environment
from ops.errors import ExitCode, OperatorError
from ops.snapshot import take_snapshot

_PREFIX = "secure_mcp_operator_"
NAMES = tuple(
    _PREFIX + name
    for name in (
        "timestamp_seconds",
        "certificate_not_before_seconds",
        "certificate_not_after_seconds",
        "backup_timestamp_seconds",
        "drift",
        "disk_free_ratio",
    )
)
_TIMEOUT_SECONDS = 5


def exposition(environment: Environment, *, drift: bool) -> bytes:
    """Return the metrics in Prometheus's text format; what cannot be had now is left out.

    Args:
        environment: whose.
        drift: compare the live realm with the lock file, which asks Keycloak for an export.
    """
    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(_PREFIX + name, text, labels, registry=registry)

    gauge("timestamp_seconds", "When these were taken.").set(time.time())
    begins = gauge("certificate_not_before_seconds", "From when a certificate of the edge is valid.", "host")
    ends = gauge("certificate_not_after_seconds", "Until when a certificate of the edge is valid.", "host")
    for host, port in tls_hosts(environment):
        if certificate := served_certificate(host, port):
            begins.labels(f"{host}:{port}").set(certificate.not_valid_before_utc.timestamp())
            ends.labels(f"{host}:{port}").set(certificate.not_valid_after_utc.timestamp())
    gauge("backup_timestamp_seconds", "When the newest backup was made; 0 is never.").set(
        newest(environment.state / "backups")
    )
    free = gauge("disk_free_ratio", "Free share of the disk, from 0 to 1.", "path")
    usage = shutil.disk_usage(environment.state if environment.state.exists() else Path.home())
    free.labels(str(environment.state)).set(usage.free / usage.total)
    if drift and (found := drifted(environment)) is not None:
        gauge("drift", "1 while the live realm is not the one of the lock file, else 0.").set(1 if found else 0)
    return generate_latest(registry)


def write(path: Path, content: bytes) -> None:
    """Write a file for the textfile collector at one go, so that it never reads half of it.

    Raises:
        OperatorError: the folder is not there or cannot be written.
    """
    fresh = path.with_suffix(".new")
    try:
        fresh.write_bytes(content)
        fresh.chmod(0o644)
        fresh.replace(path)
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be written: {error.strerror}.", "Make its folder, or name another."
        ) from error


def tls_hosts(environment: Environment) -> list[tuple[str, int]]:
    """Return host and port of each https address of the environment."""
    parts = [urlsplit(url) for url in (environment.public_url, environment.keycloak_url)]
    return sorted({(str(part.hostname), part.port or 443) for part in parts if part.scheme == "https"})


def served_certificate(host: str, port: int) -> x509.Certificate | None:
    """Return the certificate that a server shows, whoever signed it; None when it does not answer."""
    try:
        text = ssl.get_server_certificate((host, port), timeout=_TIMEOUT_SECONDS)
    except OSError:
        return None
    return x509.load_pem_x509_certificate(text.encode())


def newest(folder: Path) -> float:
    """Return when the newest backup of a folder was made, seconds since the epoch; 0 when there is none."""
    return max((file.stat().st_mtime for file in folder.glob("*.tar.age")), default=0.0)


def drifted(environment: Environment) -> bool | None:
    """Say whether the live realm differs from the lock file; None when Keycloak cannot be asked."""
    try:
        take_snapshot(environment, check=True)
    except OperatorError as error:
        return True if error.code is ExitCode.FINDINGS else None
    return False
