"""The templates as Ansible renders them for different machines; milliseconds each, no machine."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.host.playbook import BIN

BUILDS = {
    "bookworm": "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.11 (running with OpenSSL 3.0.18)",
    "noble": "nginx version: nginx/1.24.0 (Ubuntu)\nbuilt with OpenSSL 3.0.13 30 Jan 2024",
    "trixie": "nginx version: nginx/1.26.3\nbuilt with OpenSSL 3.5.1 (running with OpenSSL 3.5.4)",
    "nginx.org": "nginx version: nginx/1.30.4\nbuilt with OpenSSL 3.0.18 30 Sep 2025",
}


@pytest.fixture(scope="module")
def rendered() -> dict[str, dict[str, str]]:
    """The files by machine."""
    cases: dict[str, dict[str, Any]] = {name: {"build": build} for name, build in BUILDS.items()}
    cases["ipv6"] = {"build": BUILDS["bookworm"], "ipv6": True}
    cases["nginx.org"]["variables"] = {"nginx_repository": "nginx.org"}
    done = subprocess.run(
        [str(BIN / "python"), str(Path(__file__).with_name("render.py"))],
        input=json.dumps(list(cases.values())), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.mark.requirement("HOST-TEMPLATES")
@pytest.mark.parametrize(
    ("machine", "groups"),
    [("bookworm", ""), ("noble", ""), ("trixie", "X25519MLKEM768:"), ("nginx.org", "")],
)
def test_openssl_decides_the_groups(rendered: dict[str, dict[str, str]], machine: str, groups: str) -> None:
    assert f"ssl_ecdh_curve {groups}X25519:prime256v1:secp384r1;" in rendered[machine]["tls.conf"]


@pytest.mark.requirement("HOST-TEMPLATES")
@pytest.mark.parametrize(
    ("machine", "listen", "directive"),
    [
        ("bookworm", "listen 443 ssl http2;", False),
        ("noble", "listen 443 ssl http2;", False),
        ("trixie", "listen 443 ssl;", True),
        ("nginx.org", "listen 443 ssl;", True),
    ],
)
def test_the_version_decides_how_http2_is_said(
    rendered: dict[str, dict[str, str]], machine: str, listen: str, directive: bool
) -> None:
    for name in ("mcp.conf", "keycloak.conf"):
        assert listen in rendered[machine][name]
        assert ("http2 on;" in rendered[machine][name]) is directive


@pytest.mark.requirement("HOST-TEMPLATES")
def test_newer_versions_keep_connections_over_a_reload(rendered: dict[str, dict[str, str]]) -> None:
    kept = {name for name, files in rendered.items() if "keepalive_min_timeout" in files["nginx.conf"]}
    assert kept == {"nginx.org"}
    assert "user nginx;" in rendered["nginx.org"]["nginx.conf"]
    assert "user www-data;" in rendered["trixie"]["nginx.conf"]


@pytest.mark.requirement("HOST-TEMPLATES")
def test_ipv6_is_listened_on_where_the_machine_has_it(rendered: dict[str, dict[str, str]]) -> None:
    assert "[::]" not in "".join(rendered["bookworm"].values())
    assert "listen [::]:443 ssl http2;" in rendered["ipv6"]["mcp.conf"]
    assert "listen [::]:443 ssl http2 default_server;" in rendered["ipv6"]["default.conf"]
    assert "listen [::]:80 default_server;" in rendered["ipv6"]["default.conf"]


@pytest.mark.requirement("HOST-TEMPLATES")
def test_no_hole_is_left_and_the_operators_door_is_not_public(rendered: dict[str, dict[str, str]]) -> None:
    for files in rendered.values():
        assert "${" not in "".join(files.values())
        assert "listen 127.0.0.1:9443 ssl" in files["operator.conf"]
        assert "location ^~ /.well-known/acme-challenge/" in files["default.conf"]


@pytest.mark.requirement("HOST-TEMPLATES")
@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx on this computer")
def test_this_computers_nginx_takes_what_is_rendered_for_it(tmp_path: Path) -> None:
    build = subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=True).stderr
    paths = {"nginx_certificate": "tls.crt", "nginx_certificate_key": "tls.key"}
    paths |= {"nginx_operator_certificate": "tls.crt", "nginx_operator_certificate_key": "tls.key"}
    case = {"build": build, "variables": {name: str(tmp_path / file) for name, file in paths.items()}}
    done = subprocess.run(
        [str(BIN / "python"), str(Path(__file__).with_name("render.py"))],
        input=json.dumps([case]), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (tmp_path / "secure-mcp").mkdir()
    for name, text in json.loads(done.stdout)[0].items():
        folder = tmp_path if name == "nginx.conf" else tmp_path / "secure-mcp"
        here = text.replace("/var/log/nginx", str(tmp_path)).replace(
            "/var/cache/nginx/secure-mcp", str(tmp_path / "cache")
        )
        here = here.replace("/run/nginx.pid", str(tmp_path / "pid"))
        (folder / name).write_text(here, encoding="utf-8")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=mcp.example.com", "-keyout", str(tmp_path / "tls.key"), "-out", str(tmp_path / "tls.crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    tested = subprocess.run(["nginx", "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
