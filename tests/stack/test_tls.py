"""TLS judged by others: sslyze with Mozilla's profile, gixy on the rendered configuration."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.stack.conftest import RunningStack
from tests.support.judges import accepted, mozilla_intermediate, program


@pytest.mark.requirement("STACK-TLS")
def test_mozilla_intermediate(stack: RunningStack, tmp_path: Path) -> None:
    for url in (stack.environment.public_url, stack.environment.keycloak_url):
        suites = accepted(mozilla_intermediate(url.removeprefix("https://"), stack.authority, tmp_path / "report.json"))
        assert list(suites) == ["tls_1_2", "tls_1_3"]
        assert all("ECDHE" in suite for suite in suites["tls_1_2"])


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
