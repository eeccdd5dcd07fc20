"""TLS judged by others: sslyze with Mozilla's profile, gixy on the rendered configuration."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ops.environment import REPOSITORY
from tests.stack.conftest import RunningStack


def program(name: str) -> str:
    """Return a scanner: of .venv/scanners (requirements/scanners.txt), else of the search path."""
    beside = REPOSITORY / ".venv" / "scanners" / "bin" / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not here: make venv-scanners")
    return found


@pytest.mark.requirement("STACK-TLS")
def test_mozilla_intermediate(stack: RunningStack, tmp_path: Path) -> None:
    for url in (stack.environment.public_url, stack.environment.keycloak_url):
        target, report = url.removeprefix("https://"), tmp_path / "report.json"
        command = [program("sslyze"), "--mozilla_config=intermediate", f"--certinfo_ca_file={stack.authority}"]
        done = subprocess.run([*command, f"--json_out={report}", target], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-2000:]
        server = json.loads(report.read_text(encoding="utf-8"))["server_scan_results"][0]
        assert server["scan_status"] == "COMPLETED"
        accepted = {
            version: [
                suite["cipher_suite"]["name"]
                for suite in server["scan_result"][f"{version}_cipher_suites"]["result"]["accepted_cipher_suites"]
            ]
            for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3")
        }
        assert [version for version, suites in accepted.items() if suites] == ["tls_1_2", "tls_1_3"]
        assert all("ECDHE" in suite for suite in accepted["tls_1_2"])


@pytest.mark.requirement("STACK-TLS")
def test_gixy_finds_nothing(stack: RunningStack, tmp_path: Path) -> None:
    rendered = stack.shell("edge", "nginx -T -c /etc/nginx/edge/nginx.conf").stdout
    assert "server_name localhost" in rendered
    folder = tmp_path / "edge"
    folder.mkdir()
    for name in stack.shell("edge", "ls /etc/nginx/edge").stdout.split():
        content = stack.shell("edge", f"cat /etc/nginx/edge/{name}").stdout
        (folder / name).write_text(content.replace("/etc/nginx/edge/", f"{folder}/"), encoding="utf-8")
    (folder / "mime.types").write_text("types { }\n", encoding="utf-8")
    main = folder / "nginx.conf"
    main.write_text(
        main.read_text(encoding="utf-8").replace("/etc/nginx/mime.types", f"{folder}/mime.types"), encoding="utf-8"
    )
    done = subprocess.run([program("gixy"), "--format=json", str(main)], capture_output=True, text=True, timeout=120)
    findings = json.loads(done.stdout or "[]")
    assert findings == [], json.dumps(findings, indent=1)[:4000]
