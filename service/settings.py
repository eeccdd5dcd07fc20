"""Everything an operator may set: `SECURE_MCP_*` from the environment, secret values also from files.

Each setting stands in .env.example (a test compares the two). A wrong value stops the start, with name and remedy.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from service import settings_checks as checks
from service.contract import CONTRACT_PATH
from service.settings_files import SecretFiles, SettingsError

__all__ = ["Settings", "SettingsError", "load_settings"]

PREFIX: Final = "SECURE_MCP_"


def _words(value: object) -> object:
    """Split a comma-separated list as it stands in an environment variable."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class Settings(BaseSettings):
    """The settings of the service, checked. Field names are the variables' names without the prefix, in lower case."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    environment: Literal["dev", "staging", "prod"] = "dev"
    """Outside `dev` every URL must be https."""
    audience: str
    """The canonical URL of this MCP server (RFC 8707 section 2); public origin and path derive from it."""
    issuer: str
    """The exact `iss` of access tokens: the public URL of the Keycloak realm."""
    issuer_internal_url: str | None = None
    """URL of the realm as reached from here, for discovery and keys; not set: the issuer itself."""
    access_contract: Path = CONTRACT_PATH
    """The access contract, access.yaml."""
    algorithms: Words = ("RS256", "ES256", "PS256", "EdDSA", "Ed25519")
    """Accepted values of `alg` (RFC 8725 section 3.1)."""
    leeway_seconds: int = Field(30, ge=0, le=60)
    """Seconds by which the clocks of Keycloak and of this machine may differ."""
    jwks_ttl_seconds: int = Field(300, ge=1, le=3600)
    """Seconds for which fetched keys stay fresh; while Keycloak answers, a removed key is accepted no longer."""
    token_cache_seconds: int = Field(30, ge=0, le=300)
    """Seconds for which a verified token is remembered: the longest delay of a change of keys; 0 remembers none."""
    redis_url: SecretStr | None = None
    """Where workers share fetched keys, revocations and counts of requests; needed for more than one worker."""
    client_id: str = "mcp-server"
    """The service's own client in the realm."""
    client_secret: SecretStr | None = None
    """Secret of that client; not set: the service neither introspects nor exchanges tokens."""
    downstream_audience: str = "downstream-api"
    """Client id of the API that the tool `whoami_downstream` calls, one of downstream_apis in the contract."""
    downstream_url: str | None = None
    """URL that the tool `whoami_downstream` asks with a token exchanged for that API; not set: no such tool."""
    allowed_clients: Words = ()
    """Client ids that may call; empty means every client of the realm."""
    cors_origins: Words = ()
    """Browser origins besides the service's own that may call."""
    trusted_proxies: Words = ("127.0.0.1", "::1")
    """Addresses or networks (CIDR) of the proxies in front; from them alone X-Forwarded-For is believed."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(8000, ge=1, le=65535)
    """Port to listen on."""
    workers: int = Field(1, ge=1, le=64)
    """Worker processes."""
    caller_requests_per_minute: int | None = Field(None, ge=1)
    """Requests that one caller may send in a minute, over all workers, nodes and addresses; not set: no limit."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log level that is written."""
    otlp_endpoint: str | None = None
    """Base URL of an OpenTelemetry collector (OTLP over HTTP), such as http://collector:4318; not set: none."""
    trace_ratio: float = Field(0.01, ge=0, le=1)
    """Share of requests that are traced, from 0 to 1, while there is a collector."""
    audit_file: Path | None = None
    """File of the audit trail with a hash chain, for the sink `file`; its folder exists."""
    audit_file_bytes: int = Field(64 * 1024 * 1024, ge=4096)
    """Size in bytes from which on a new audit file is begun; 16 full ones are kept."""
    audit_syslog: str = "/dev/log"
    """Where the sink `syslog` goes: a socket, or udp://host:port."""
    audit_sinks: Words = ("stdout",)
    """Where the audit trail goes: any of stdout, file, syslog, otlp."""
    management_host: str = "127.0.0.1"
    """Address that the management port listens on; never one that the edge or the world can reach."""
    management_port: int | None = Field(None, ge=1, le=65535)
    """Port of metrics and log level; not set: there is none."""

    @property
    def public_origin(self) -> str:
        """Scheme, host and port of the audience, such as `https://mcp.example.com`."""
        parts = urlsplit(self.audience)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def mcp_path(self) -> str:
        """Path of the MCP endpoint, such as `/mcp`."""
        return urlsplit(self.audience).path

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the framework passes it by name
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of the sources: arguments, environment, `*_FILE` variables, the secrets directory of Docker."""
        return init_settings, env_settings, SecretFiles(settings_cls), file_secret_settings

    @field_validator(
        "audience",
        "issuer",
        "issuer_internal_url",
        "algorithms",
        "cors_origins",
        "redis_url",
        "client_secret",
        "trusted_proxies",
        "otlp_endpoint",
        "audit_syslog",
    )
    @classmethod
    def _check(cls, value: Any, info: ValidationInfo) -> Any:
        # `environment` is declared first, so it is known here unless it is wrong itself.
        problem = checks.RULES[str(info.field_name)](value, info.data.get("environment") == "dev")
        if problem:
            raise PydanticCustomError("setting", "{problem}", {"problem": problem})
        return value

    @field_validator("audit_sinks")
    @classmethod
    def _sinks(cls, value: Any, info: ValidationInfo) -> Any:
        if problem := checks.audit_sinks(value, info.data):
            raise PydanticCustomError("setting", "{problem}", {"problem": problem})
        return value

    @field_validator("downstream_url")
    @classmethod
    def _downstream(cls, value: str | None, info: ValidationInfo) -> str | None:
        problem = checks.downstream_url(value, info.data.get("environment") == "dev")
        if value is not None and not problem and "client_secret" in info.data and not info.data["client_secret"]:
            problem = "a token for it is exchanged by the service's own client; set SECURE_MCP_CLIENT_SECRET, too"
        if problem:
            raise PydanticCustomError("setting", "{problem}", {"problem": problem})
        return value

    @field_validator("management_port")
    @classmethod
    def _own_port(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value == info.data.get("port"):
            text = "is the port that callers use; write another, which nobody outside can reach"
            raise PydanticCustomError("setting", "{problem}", {"problem": text})
        return value

    @field_validator("workers")
    @classmethod
    def _workers_share(cls, value: int, info: ValidationInfo) -> int:
        if value > 1 and info.data.get("redis_url") is None:
            text = "several workers share revocations through Redis; set SECURE_MCP_REDIS_URL, or write 1"
            raise PydanticCustomError("setting", "{problem}", {"problem": text})
        return value


def load_settings(**values: Any) -> Settings:
    """Read and check the settings.

    Args:
        values: settings by field name; they win over the environment. For tests.

    Raises:
        SettingsError: one line for each setting that is missing or wrong; no line repeats a secret.
    """
    secrets = Path("/run/secrets")
    try:
        return Settings(**{"_secrets_dir": secrets if secrets.is_dir() else None, **values})
    except ValidationError as error:
        problems = []
        for fault in error.errors(include_input=False, include_url=False, include_context=False):
            field = str(fault["loc"][0])
            text = f"{fault['msg'][:1].lower()}{fault['msg'][1:]}; see .env.example"
            if fault["type"] == "missing":
                text = f"is not set; {checks.WHAT_TO_WRITE[field]}"
            elif fault["type"] == "setting":
                text = fault["msg"]
            problems.append(f"{PREFIX}{field.upper()}: {text}")
        raise SettingsError(problems) from None
