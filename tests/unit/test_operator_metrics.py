"""`secure-mcp metrics`: what Prometheus should know of the operator's machine."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from ops import operator_metrics
from ops.cli import app
from ops.environment import Environment
from ops.errors import ExitCode, OperatorError

RUN = CliRunner()
pytestmark = pytest.mark.requirement("ALERTS")


def numbers(text: str) -> dict[str, float]:
    return {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECURE_MCP_STATE_DIR", str(tmp_path))
    return tmp_path


def test_what_is_known_without_a_stack(state: Path) -> None:
    found = numbers(RUN.invoke(app, ["metrics"]).stdout)
    assert abs(found["secure_mcp_operator_timestamp_seconds"] - time.time()) < 60
    assert found["secure_mcp_operator_backup_timestamp_seconds"] == 0
    assert 0 < found["secure_mcp_operator_disk_free_ratio"] < 1
    assert "secure_mcp_operator_drift" not in found
    assert set(found) <= set(operator_metrics.NAMES)


def test_the_newest_backup_counts(state: Path) -> None:
    (state / "backups").mkdir()
    for name, age in (("old", 9000), ("new", 60)):
        file = state / "backups" / f"{name}.tar.age"
        file.write_text("")
        os.utime(file, (time.time() - age, time.time() - age))
    age = time.time() - numbers(RUN.invoke(app, ["metrics"]).stdout)["secure_mcp_operator_backup_timestamp_seconds"]
    assert 59 < age < 120


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, 0.0),
        (OperatorError("It differs.", "", ExitCode.FINDINGS), 1.0),
        (OperatorError("It does not answer.", "", ExitCode.UNREACHABLE), None),
    ],
)
def test_drift_is_told_only_when_keycloak_could_be_asked(
    error: OperatorError | None, expected: float | None, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(_environment: Environment, *, check: bool) -> None:
        assert check
        if error:
            raise error

    monkeypatch.setattr(operator_metrics, "take_snapshot", compare)
    assert numbers(RUN.invoke(app, ["metrics", "--drift"]).stdout).get("secure_mcp_operator_drift") == expected


def test_the_file_is_written_at_one_go(state: Path) -> None:
    target = state / "secure-mcp.prom"
    assert RUN.invoke(app, ["metrics", "--output", str(target)]).exit_code == 0
    assert numbers(target.read_text())
    assert list(state.glob("*.new")) == []
    assert "cannot be written" in str(RUN.invoke(app, ["metrics", "--output", str(state / "no" / "x")]).exception)


def test_the_certificate_that_is_served_counts(tmp_path: Path) -> None:
    from tests.support.relay import free_port
    from tests.support.until import until

    key, certificate, port = tmp_path / "key", tmp_path / "crt", free_port()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "10", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    serve = ["openssl", "s_server", "-accept", str(port), "-key", str(key), "-cert", str(certificate), "-quiet"]
    with subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        try:
            found = until(lambda: operator_metrics.served_certificate("localhost", port), 10, "the certificate")
        finally:
            server.terminate()
    assert found
    life = found.not_valid_after_utc - found.not_valid_before_utc
    assert life.days == 10
    assert operator_metrics.served_certificate("localhost", free_port()) is None
