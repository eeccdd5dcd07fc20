"""Renders the edge's templates with example values, for linters: `python scripts/render_nginx.py FOLDER`."""

import re
import subprocess
import sys
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent.parent / "nginx"
HOLE = re.compile(r"\$\{(\w+)\}")


def example_values(folder: Path) -> dict[str, str]:
    """Return a value for each hole, with every path below the folder and the groups that each OpenSSL knows."""
    paths = {"certificate": "tls.crt", "certificate_key": "tls.key", "cache_path": "cache", "access_log": "access.log"}
    paths |= {"operator_certificate": "tls.crt", "operator_certificate_key": "tls.key"}
    names = {"mcp": "mcp.example.com", "auth": "auth.example.com"}
    # As terraform/docker/variables_sizes.tf and ansible/roles/nginx/defaults/main.yml have them.
    limits = {
        "login": ("20r/s", "60"),
        "mcp": ("50r/s", "100"),
        "registration": ("6r/m", "5"),
        "token": ("10r/s", "20"),
    }
    rates = {f"rate_{zone}": rate for zone, (rate, _) in limits.items()}
    bursts = {f"burst_{zone}": burst for zone, (_, burst) in limits.items()}
    return {
        **{name: str(folder / file) for name, file in paths.items()},
        **rates,
        **bursts,
        "acme_challenge": "",
        "auth_authority": names["auth"],
        "auth_host": names["auth"],
        "auth_listens": "listen 8443 ssl http2;",
        "auth_port": "443",
        "default_listens": "listen 8443 ssl default_server;",
        "directory": str(folder),
        "ecdh_curve": "X25519:prime256v1:secp384r1",
        "health_listen": "127.0.0.1:8081",
        "hsts_seconds": "63072000",
        "http2_directive": "",
        "http_default_listens": "listen 8080 default_server;",
        "http_listens": "listen 8080;",
        "http_names": " ".join(names.values()),
        "https_origins": "\n    ".join(f"{name} https://{name};" for name in names.values()),
        "keycloak_address": "127.0.0.1:8090",
        "mcp_authority": names["mcp"],
        "mcp_host": names["mcp"],
        "mcp_listens": "listen 8443 ssl http2;",
        "mcp_port": "443",
        "next_upstream": "off",
        "operator_authority": "localhost:9443",
        "operator_listens": "listen 9443 ssl http2;",
        "operator_port": "9443",
        "peer_failures": "max_fails=0",
        "realm": "mcp-realm",
        "retry_after": "1",
        "service_address": "127.0.0.1:8000",
        "streams": "64",
        "upstream_connection": '""',
    }


def render(folder: Path, values: dict[str, str]) -> None:
    """Render every template into the folder.

    Raises:
        KeyError: a hole has no value.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for template in sorted(TEMPLATES.glob("*.conf")):
        text = template.read_text(encoding="utf-8")
        if template.name == "nginx.conf":
            text = text.replace("/tmp/", f"{folder}/").replace("/etc/nginx/mime.types", f"{folder}/mime.types")  # noqa: S108
        text = HOLE.sub(lambda hole: values[hole[1]], text)
        (folder / template.name).write_text(text, encoding="utf-8")
    (folder / "mime.types").write_text("types { text/html html; }\n", encoding="utf-8")


def main() -> int:
    """Render into the folder that the first argument names, with a certificate for `nginx -t`."""
    folder = Path(sys.argv[1]).resolve()
    render(folder, example_values(folder))
    subprocess.run(  # noqa: S603
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",  # noqa: S607
         "-subj", "/CN=mcp.example.com", "-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
