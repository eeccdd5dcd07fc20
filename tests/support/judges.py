"""Other people's judges of an edge: sslyze on what is served, gixy on the configuration that Nginx says it has."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.environment import REPOSITORY

VERSIONS = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3")
# Attacks on the protocol, in sslyze's words, and what it says where they do not work.
HARMLESS: dict[str, dict[str, Any]] = {
    "heartbleed": {"is_vulnerable_to_heartbleed": False},
    "openssl_ccs_injection": {"is_vulnerable_to_ccs_injection": False},
    "robot": {"robot_result": "NOT_VULNERABLE_RSA_NOT_SUPPORTED"},
    "session_renegotiation": {
        "supports_secure_renegotiation": True,
        "is_vulnerable_to_client_renegotiation_dos": False,
        "client_renegotiations_success_count": 0,
    },
    "tls_compression": {"supports_compression": False},
    "tls_extended_master_secret": {"supports_ems_extension": True},
    "tls_fallback_scsv": {"supports_fallback_scsv": True},
}


def program(name: str) -> str:
    """Return a scanner: of .venv/scanners (requirements/scanners.txt), else of the search path."""
    beside = REPOSITORY / ".venv" / "scanners" / "bin" / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not here: make venv-scanners")
    return found


def mozilla_intermediate(server: str, authority: Path, report: Path) -> dict[str, Any]:
    """Let sslyze hold a server against Mozilla's profile, which must find nothing, and return what it saw.

    Args:
        server: `name:port`, or `name:port{address}` where no name server knows it.
        authority: file of the certificate that the server's leads to.
        report: where sslyze writes.
    """
    command = [program("sslyze"), "--mozilla_config=intermediate", f"--certinfo_ca_file={authority}"]
    done = subprocess.run([*command, f"--json_out={report}", server], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:]
    found = json.loads(report.read_text(encoding="utf-8"))["server_scan_results"][0]
    assert found["scan_status"] == "COMPLETED"
    results: dict[str, Any] = {name: scan["result"] for name, scan in found["scan_result"].items()}
    return results


def harm(results: dict[str, Any]) -> dict[str, Any]:
    """Return what sslyze said about attacks that is not as harmless as it should be."""
    return {name: results[name] for name, wanted in HARMLESS.items() if results[name] != wanted}


def accepted(results: dict[str, Any]) -> dict[str, list[str]]:
    """Return the cipher suites that were accepted by version, versions without one left out."""
    scans = {version: results[f"{version}_cipher_suites"]["accepted_cipher_suites"] for version in VERSIONS}
    return {version: [suite["cipher_suite"]["name"] for suite in suites] for version, suites in scans.items() if suites}


def gixy(dump: str) -> list[dict[str, Any]]:
    """Return what gixy finds in the output of `nginx -T`."""
    command = [program("gixy"), "--format=json", "-"]
    done = subprocess.run(command, input=dump, capture_output=True, text=True, timeout=120)
    findings: list[dict[str, Any]] = json.loads(done.stdout)
    return findings
