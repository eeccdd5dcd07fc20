"""TLS of the machine, judged by others: sslyze with Mozilla's profile, gixy on what Nginx says of itself."""

import json
from pathlib import Path

import pytest

from tests.host.conftest import Converged
from tests.host.machine import AUTH, MCP
from tests.support.judges import accepted, gixy, harm, mozilla_intermediate


@pytest.mark.requirement("HOST-TLS")
@pytest.mark.parametrize("name", [MCP, AUTH])
def test_mozilla_intermediate_holds_and_no_known_attack_works(converged: Converged, name: str, tmp_path: Path) -> None:
    server = f"{name}:443{{{converged.machine.address}}}"
    results = mozilla_intermediate(server, converged.authority, tmp_path / "report.json")
    suites = accepted(results)
    assert list(suites) == ["tls_1_2", "tls_1_3"]
    assert all("ECDHE" in suite for suite in suites["tls_1_2"])
    assert harm(results) == {}


@pytest.mark.requirement("HOST-TLS")
def test_gixy_finds_nothing(converged: Converged) -> None:
    dump = converged.machine.shell("nginx -T 2>/dev/null")
    assert f"server_name {MCP};" in dump
    findings = gixy(dump)
    assert findings == [], json.dumps(findings, indent=1)[:4000]
