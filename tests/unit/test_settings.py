"""Settings: what is refused, with which words, and that no setting is forgotten in .env.example."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.settings import PREFIX, Settings, SettingsError, load_settings
from service.settings_files import is_secret

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / ".env.example"
GOOD = {"audience": "http://localhost:8000/mcp", "issuer": "http://localhost:8080/realms/mcp-realm"}
SECRET = "h7Kq0sV2bX9yLm4TzE6w"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def problems(**values: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(**{**GOOD, **values})
    return caught.value.problems


@pytest.mark.requirement("MCP-R20")
def test_the_least_that_is_needed() -> None:
    settings = load_settings(**GOOD)
    assert settings.host == "127.0.0.1"
    assert (settings.public_origin, settings.mcp_path) == ("http://localhost:8000", "/mcp")
    assert settings.algorithms == ("RS256", "ES256", "PS256", "EdDSA", "Ed25519")


def test_all_faults_are_told_at_once_by_name_and_remedy() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(audience="http://localhost:8000/mcp/", client_secret="changeme", leeway_seconds=61)
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "SECURE_MCP_AUDIENCE",
        "SECURE_MCP_ISSUER",
        "SECURE_MCP_LEEWAY_SECONDS",
        "SECURE_MCP_CLIENT_SECRET",
    ]
    assert lines[1] == (
        "SECURE_MCP_ISSUER: is not set; "
        "write the public URL of the realm, such as http://localhost:8080/realms/mcp-realm"
    )
    assert "61" not in str(caught.value)
    assert "changeme" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("audience", "http://localhost:8000/mcp/", "ends in a slash"),
        ("audience", "http://localhost:8000/mcp#a", "query or fragment"),
        ("audience", "http://localhost:8000/mcp#", "query or fragment"),
        ("audience", "http://localhost:8000/mcp?", "query or fragment"),
        ("audience", "http://localhost:8000/mcp?a=b", "query or fragment"),
        ("audience", "http://LOCALHOST:8000/mcp", "lower case"),
        ("audience", "HTTPS://mcp.example.com/mcp ", "is no http or https URL"),
        ("audience", "http://localhost:8000", "has no path"),
        ("audience", "http://localhost:8000/m p", "unusual characters"),
        ("audience", "http://localhost:8000/api/v1", "a path that the service uses itself"),
        ("audience", "http://localhost:99999/mcp", "is no URL"),
        ("audience", "http://user:pw@localhost:8000/mcp", "user name or password"),
        ("audience", "http://mcp.example.com/mcp", "http and not loopback"),
        ("audience", "ftp://localhost/mcp", "is no http or https URL"),
        ("issuer", "http://localhost:8080/realms/mcp-realm/", "ends in a slash"),
        ("issuer", "http://keycloak:8080/realms/mcp-realm", "http and not loopback"),
        ("issuer_internal_url", "http://id.example.com/realms/mcp-realm", "http to another machine"),
        ("issuer_internal_url", "http://192.0.2.7/realms/mcp-realm", "http to another machine"),
        ("algorithms", "RS256,HS256", "'HS256' is not supported"),
        ("algorithms", "none", "'none' is not supported"),
        ("algorithms", ",", "is empty"),
        ("cors_origins", "*", "would let any web site call"),
        ("cors_origins", "https://*.example.com", "would let any web site call"),
        ("cors_origins", "null", "would let any web site call"),
        ("cors_origins", "https://a.example.com/", "has a path"),
        ("cors_origins", "http://a.example.com", "http and not loopback"),
        ("trusted_proxies", "*", "is no address or network"),
        ("trusted_proxies", "edge", "is no address or network"),
        ("trusted_proxies", "10.87.1.7/24", "is no address or network"),
        ("trusted_proxies", "0.0.0.0/0", "let any caller make up its address"),
        ("trusted_proxies", "10.0.0.1,::/0", "let any caller make up its address"),
        ("redis_url", "http://redis:6379", "is no Redis URL"),
        ("redis_url", "redis://cache.example.com:6379/0", "without TLS"),
        ("redis_url", "redis://:changeme@redis:6379/0", "is a placeholder"),
        ("client_secret", "changeme", "is a placeholder"),
        ("client_secret", "change-me-change-me-change-me", "is a placeholder"),
        ("client_secret", "my-example-client-value-123", "is a placeholder"),
        ("client_secret", "<paste the secret here>", "is a placeholder"),
        ("client_secret", "${MCP_SERVER_SECRET_VALUE}", "is a placeholder"),
        ("client_secret", "secret", "is a placeholder"),
        ("client_secret", "a" * 40, "is a placeholder"),
        ("client_secret", "h7Kq0sV2", "is shorter than 16"),
        ("workers", 0, "greater than or equal to 1"),
        ("port", "http", "valid integer"),
        ("log_level", "trace", "input should be"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: object, words: str) -> None:
    (line,) = problems(**{name: value})
    assert line.startswith(f"SECURE_MCP_{name.upper()}: ")
    assert words in line
    if is_secret(Settings.model_fields[name]):
        assert str(value) not in line


def test_an_unknown_environment_is_refused_and_counts_as_none_of_development() -> None:
    lines = problems(environment="production")
    assert lines[0].startswith("SECURE_MCP_ENVIRONMENT: input should be 'dev', 'staging' or 'prod'")
    assert [line.partition(":")[0] for line in lines[1:]] == ["SECURE_MCP_AUDIENCE", "SECURE_MCP_ISSUER"]


@pytest.mark.requirement("MCP-A9")
@pytest.mark.parametrize("environment", ["staging", "prod"])
@pytest.mark.parametrize("name", ["audience", "issuer", "cors_origins"])
def test_http_is_refused_outside_development(environment: str, name: str) -> None:
    https = {"audience": "https://mcp.example.com/mcp", "issuer": "https://id.example.com/realms/mcp-realm"}
    assert load_settings(**https, environment=environment)
    plain = {**GOOD, "cors_origins": "http://localhost:6274"}[name]
    lines = problems(**{**https, name: plain}, environment=environment)
    assert len(lines) == 1
    assert "is http outside development" in lines[0]


@pytest.mark.parametrize(
    "url", ["http://keycloak:8080/realms/mcp-realm", "http://127.0.0.1:8080/realms/r", "https://10.0.0.4/realms/r"]
)
def test_the_internal_url_may_be_http_inside_a_container_network(url: str) -> None:
    assert load_settings(**GOOD, issuer_internal_url=url).issuer_internal_url == url


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"AUDIENCE": GOOD["audience"], "ISSUER": GOOD["issuer"], "ALLOWED_CLIENTS": "a, b,", "CORS_ORIGINS": ""}
    for name, value in values.items():
        monkeypatch.setenv(PREFIX + name, value)
    settings = load_settings()
    assert settings.allowed_clients == ("a", "b")
    assert settings.cors_origins == ()


def test_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("SECURE_MCP_CLIENT_SECRET_FILE", str(file))
    settings = load_settings(**GOOD)
    assert settings.client_secret == SecretStr(SECRET)
    assert SECRET not in repr(settings)


def test_secrets_come_from_the_secrets_directory(tmp_path: Path) -> None:
    (tmp_path / "secure_mcp_client_secret").write_text(f"{SECRET}\n")
    assert Settings(**GOOD, _secrets_dir=tmp_path).client_secret == SecretStr(SECRET)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), (b"", "is empty"), (b"\xff\xfe", "is not UTF-8"), (b"a" * 9000, "is too large")],
)
def test_an_unusable_secret_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SECURE_MCP_CLIENT_SECRET_FILE", str(file))
    (line,) = problems()
    assert line.startswith("SECURE_MCP_CLIENT_SECRET_FILE: ")
    assert words in line


def test_a_secret_in_two_places_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECURE_MCP_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("SECURE_MCP_CLIENT_SECRET", SECRET)
    (line,) = problems()
    assert "keep one of the two" in line


def variables(pattern: str) -> set[str]:
    return set(re.findall(pattern, EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_example_file_has_every_setting_and_no_other() -> None:
    expected = set()
    for name, field in Settings.model_fields.items():
        expected |= {PREFIX + name.upper()} | ({f"{PREFIX}{name.upper()}_FILE"} if is_secret(field) else set())
    assert variables(r"^#?(SECURE_MCP_[A-Z_]+)=") == expected


def test_the_example_file_works_as_it_stands_and_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = re.findall(r"^(#?)(SECURE_MCP_[A-Z_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    for commented, name, value in lines:
        if not commented:
            monkeypatch.setenv(name, value)
    settings = load_settings()
    shown = {name.removeprefix(PREFIX).lower(): value for commented, name, value in lines if commented}
    for name in (
        "algorithms",
        "leeway_seconds",
        "jwks_ttl_seconds",
        "token_cache_seconds",
        "client_id",
        "trusted_proxies",
        "host",
        "port",
        "workers",
        "log_level",
    ):
        value = getattr(settings, name)
        assert shown[name] == (",".join(value) if isinstance(value, tuple) else str(value)), name


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-c", "from service.app import create_app; create_app()"],
        [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn_conf.py", "service.app:create_app()"],
    ],
)
def test_a_wrong_start_ends_with_short_lines_and_exit_code_2(command: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SECURE_MCP_AUDIENCE": "http://localhost/mcp"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.splitlines()[0] == "Secure MCP cannot start:"
    assert run.stderr.splitlines()[1].startswith("  SECURE_MCP_ISSUER: is not set; ")
    assert len(run.stderr.splitlines()) == 2


def test_a_wrong_contract_ends_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from service.app import create_app

    contract = tmp_path / "access.yaml"
    contract.write_text("version: 1\n")
    with pytest.raises(SystemExit) as caught:
        create_app(load_settings(**GOOD, access_contract=contract))
    assert caught.value.code == 2
    assert "access.yaml:1: " in capsys.readouterr().err


def test_several_workers_need_something_to_share_revocations_by() -> None:
    with pytest.raises(SettingsError, match="SECURE_MCP_WORKERS: several workers share revocations through Redis"):
        load_settings(**GOOD, workers=2)
    assert load_settings(**GOOD, workers=2, redis_url="redis://redis:6379/0").workers == 2
