"""The rules of ops.containers that need no engine."""

import datetime as dt
import io
import tarfile
from pathlib import Path

import pytest
from cryptography import x509

from ops.containers.authority import ensure_authority, ensure_certificate, public_certificate
from ops.containers.backup import prunable
from ops.containers.engine import Engine, check_engine, find_engine
from ops.containers.environment import OBSERVERS, PARTS, load_stack_environment
from ops.containers.root import failed_checks, planned_values
from ops.containers.secret_files import _archive, container_files
from ops.errors import ExitCode, OperatorError

GOOD = Engine(version="28.2.2", platform="linux/amd64", root=Path("/nowhere"), cores=2, memory_bytes=8 << 30)
ROOMY = 100 << 30


@pytest.mark.requirement("STACK-PREFLIGHT")
@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "23.0.1", "28.2.2", "29.0.0-rc.1"])
def test_a_good_engine_is_taken(version: str) -> None:
    check_engine(Engine(version, "linux/arm64", Path("/nowhere"), 2, 8 << 30), free_bytes=ROOMY)


@pytest.mark.requirement("STACK-PREFLIGHT")
@pytest.mark.parametrize(
    ("engine", "free", "says"),
    [
        (Engine("19.03.15", "linux/amd64", Path("/nowhere"), 2, 0), ROOMY, "Update it to 20.10"),
        (Engine("28.0.0", "linux/riscv64", Path("/nowhere"), 2, 0), ROOMY, "linux/amd64 or linux/arm64"),
        (Engine("28.0.0", "windows/amd64", Path("/nowhere"), 2, 0), ROOMY, "linux/amd64 or linux/arm64"),
        (GOOD, 1 << 30, "1.0 GiB left; 4 GiB are needed"),
    ],
)
def test_an_engine_that_cannot_carry_the_stack_is_refused(engine: Engine, free: int, says: str) -> None:
    with pytest.raises(OperatorError, match=says):
        check_engine(engine, free_bytes=free)


@pytest.mark.requirement("STACK-PREFLIGHT")
def test_no_engine_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "docker"
    fake.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n", encoding="ascii")
    fake.chmod(0o755)
    with pytest.raises(OperatorError, match=r"Cannot connect.*systemctl start docker") as refused:
        find_engine(str(fake))
    assert refused.value.code is ExitCode.UNREACHABLE
    with pytest.raises(OperatorError, match="There is no docker"):
        find_engine(str(tmp_path / "none"))


@pytest.mark.requirement("STACK-BACKUP")
def test_pruning_keeps_days_weeks_and_months() -> None:
    start = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
    times = [start - dt.timedelta(hours=12 * step) for step in range(2 * 400)]
    files = [Path(f"secure-mcp-prod-{time:%Y%m%dT%H%M%SZ}.tar.age") for time in times]
    gone = set(prunable(files))
    kept = [file for file in files if file not in gone]
    assert kept[0] == files[0]
    days = {file.name[16:24] for file in kept}
    assert {f"{start - dt.timedelta(days=day):%Y%m%d}" for day in range(7)} <= days
    assert len({file.name[16:22] for file in kept}) == 12  # months
    assert {*files[:2]} <= set(kept)  # the last day whole
    assert 7 + 12 <= len(kept) <= 1 + 7 + 4 + 12
    assert prunable([]) == []
    assert prunable(kept) == []


@pytest.mark.requirement("STACK-TLS")
def test_the_authority_signs_what_browsers_take(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    authority, _ = ensure_authority(folder)
    certificate, key = ensure_certificate(folder, "tls", ["localhost", "mcp.localhost"])
    chain = x509.load_pem_x509_certificates(certificate.read_bytes())
    chain[0].verify_directly_issued_by(authority)
    assert chain[1] == authority
    assert (chain[0].not_valid_after_utc - chain[0].not_valid_before_utc).days <= 100
    assert key.stat().st_mode & 0o777 == 0o400
    again, _ = ensure_certificate(folder, "tls", ["localhost", "mcp.localhost"])
    assert x509.load_pem_x509_certificates(again.read_bytes()) == chain
    other, _ = ensure_certificate(folder, "tls", ["localhost"])
    assert x509.load_pem_x509_certificates(other.read_bytes()) != chain


@pytest.mark.requirement("STACK-TLS")
def test_outside_dev_the_public_certificate_is_given(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"There is no certificate for mcp\.example\.com"):
        public_certificate(tmp_path, tmp_path / "tls", ["mcp.example.com"], own=False)


@pytest.mark.requirement("STACK-SECRECY")
def test_each_container_gets_its_own_files_only(tmp_path: Path) -> None:
    names = (
        "postgres_admin_password",
        "postgres_password",
        "redis_password",
        "postgres_monitor_password",
        "redis_monitor_password",
        "bootstrap-admin",
        "mcp-server",
        "terraform",
    )
    secrets = {name: f"value-of-{name}" for name in names}
    certificate = tmp_path / "tls.crt"
    certificate.write_bytes(b"certificate")
    files = container_files(secrets, {"tls.crt": certificate}, observed=False)
    assert {part: sorted(content) for part, content in files.items()} == {
        "edge": ["tls.crt"],
        "keycloak": ["keycloak.conf"],
        "postgres": ["pgpass", "postgres_admin_password", "postgres_password"],
        "redis": ["redis_users.acl"],
        "service": ["client_secret", "redis_url"],
    }
    assert b"value-of-redis_password" not in files["redis"]["redis_users.acl"]  # a digest is enough for the server
    assert all(b"terraform" not in content for part in files.values() for content in part.values())
    observed = container_files(secrets, {"tls.crt": certificate}, observed=True)
    assert {part: content for part, content in observed.items() if part not in files} == {
        "postgres-exporter": {"password": b"value-of-postgres_monitor_password"},
        "redis-exporter": {"passwords.json": b'{"redis://monitor@redis:6379": "value-of-redis_monitor_password"}'},
    }
    monitor = observed["redis"]["redis_users.acl"].decode().splitlines()[-1]
    assert monitor.endswith("resetkeys resetchannels -@all +ping +info")
    assert "value-of" not in monitor


@pytest.mark.requirement("STACK-SECRECY")
def test_files_in_the_stream_belong_to_the_container_alone() -> None:
    with tarfile.open(fileobj=io.BytesIO(_archive({"a": b"x"}, 10001, 10002))) as archive:
        (member,) = archive.getmembers()
    assert (member.mode, member.uid, member.gid) == (0o400, 10001, 10002)


@pytest.mark.requirement("STACK-UP")
def test_values_and_checks_are_read_from_a_plan() -> None:
    plan = {
        "variables": {"workers": {"value": 2}},
        "checks": [
            {"address": {"to_display": "check.a"}, "status": "pass"},
            {"address": {"to_display": "check.b"}, "status": "fail"},
        ],
    }
    assert planned_values(plan) == {"workers": 2}
    assert failed_checks(plan) == ["check.b"]


@pytest.mark.requirement("OBSERVED-STACK")
@pytest.mark.parametrize(
    ("values", "observers"),
    [
        ({"observability": None}, ()),
        ({"observability": {"image": "x"}}, OBSERVERS),
        ({"observability": {"image": "x", "grafana": False}}, tuple(part for part in OBSERVERS if part != "grafana")),
        (
            {"observability": {"image": "x"}, "edge": "host"},
            tuple(part for part in OBSERVERS if part != "nginx-exporter"),
        ),
    ],
)
def test_the_parts_of_a_stack_follow_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, object], observers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SECURE_MCP_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("SECURE_MCP_ENVIRONMENT", "staging")
    urls = {
        "public_url": "https://a",
        "keycloak_public_url": "https://b",
        "ports": {"operator": 1},
        "edge": "container",
    }
    environment = load_stack_environment().with_values(urls | values)
    assert environment.observers == observers
    assert set(environment.parts) == set(observers) | {part for part in PARTS if part != "edge" or "edge" not in values}
