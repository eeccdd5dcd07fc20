"""Rules for single settings: each returns what is wrong and what to write instead, or None; never a secret."""

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA", "Ed25519")
MIN_SECRET_LENGTH: Final = 16
RESERVED_PATHS: Final = ("/.well-known", "/api", "/console", "/docs", "/livez", "/openapi.json", "/readyz", "/version")

WHAT_TO_WRITE: Final = {
    "audience": "write the URL that MCP clients are given, such as http://localhost:8000/mcp",
    "issuer": "write the public URL of the realm, such as http://localhost:8080/realms/mcp-realm",
}

_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HOST: Final = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
_PLACEHOLDER_WORDS: Final = (
    "changeme",
    "replaceme",
    "placeholder",
    "example",
    "password",
    "yoursecret",
    "clientsecret",
)
_PLACEHOLDERS: Final = frozenset(
    {"secret", "mysecret", "supersecret", "test", "testsecret", "todo", "dummy", "default"}
)


def reveal(value: SecretStr | None) -> str | None:
    """Return the text of a secret."""
    return value.get_secret_value() if value else None


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address, without brackets and port, can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _url(value: str, schemes: Sequence[str], hint: str) -> tuple[SplitResult | None, str | None]:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None, f"is no URL; {hint}"
    if parts.scheme not in schemes or not parts.hostname or value != value.strip():
        return None, f"is no {' or '.join(schemes)} URL; {hint}"
    if parts.username is not None or parts.password is not None:
        return None, f"carries a user name or password; {hint}"
    if parts.fragment or parts.query or "#" in value or "?" in value:
        return None, f"has a query or fragment; {hint}"
    if not _HOST.fullmatch(parts.netloc.rpartition("@")[2].removesuffix(f":{parts.port}")):
        return None, "has a host that is not in lower case or not allowed; write the host in lower-case ASCII"
    return parts, None


def _transport(parts: SplitResult, *, dev: bool) -> str | None:
    if parts.scheme == "https" or (dev and is_loopback(parts.hostname)):
        return None
    if dev:
        return "is http and not loopback; write https, or localhost or 127.0.0.1 as the host"
    return "is http outside development; write https, or set SECURE_MCP_ENVIRONMENT=dev on your own machine"


def audience(value: str, dev: bool) -> str | None:
    """The canonical server URI (MCP authorization; RFC 8707 section 2)."""
    hint = WHAT_TO_WRITE["audience"]
    parts, problem = _url(value, ("http", "https"), hint)
    if not parts:
        return problem
    if parts.path.endswith("/"):
        return f"ends in a slash; {hint}"
    if not _PATH.fullmatch(parts.path):
        return f"has no path, or one with unusual characters; {hint}"
    if any(parts.path == path or parts.path.startswith(f"{path}/") for path in RESERVED_PATHS):
        return f"has a path that the service uses itself; {hint}"
    return _transport(parts, dev=dev)


def issuer(value: str, dev: bool) -> str | None:
    """The issuer identifier (RFC 8414 section 2)."""
    hint = WHAT_TO_WRITE["issuer"]
    parts, problem = _url(value, ("http", "https"), hint)
    if not parts:
        return problem
    return f"ends in a slash; {hint}" if parts.path.endswith("/") else _transport(parts, dev=dev)


def internal_url(value: str | None, _dev: bool) -> str | None:
    """Base URL inside the private network: plain http only to this machine or to a name without a dot.

    Such a name (`keycloak`) resolves in a container network only, so the keys cannot come from elsewhere.
    """
    if value is None:
        return None
    parts, problem = _url(value, ("http", "https"), "write a URL such as http://keycloak:8080/realms/mcp-realm")
    if not parts:
        return problem
    host = parts.hostname or ""
    if parts.scheme == "https" or is_loopback(host) or not re.search(r"[.:]", host):
        return None
    return "is http to another machine; write https, or the name of a container in the same network"


def downstream_url(value: str | None, dev: bool) -> str | None:
    """URL of another API: it gets a token, so the rules are those of the realm inside a private network."""
    if value is None:
        return None
    _, problem = _url(value, ("http", "https"), "write a URL such as https://api.example.com/whoami")
    return problem or internal_url(value, dev)


def algorithms(value: Sequence[str], _dev: bool) -> str | None:
    """Names of RFC 7518 and RFC 9864, none symmetric."""
    unknown = [name for name in value if name not in ALGORITHMS]
    if unknown or not value:
        what = f"{unknown[0][:20]!r} is not supported" if unknown else "is empty"
        return f"{what}; write one or more of {','.join(ALGORITHMS)}"
    return None


def origins(value: Sequence[str], dev: bool) -> str | None:
    """Serialised origins (RFC 6454 section 6.2), each spelled out."""
    hint = "write origins such as https://console.example.com, separated by commas"
    for origin in value:
        if "*" in origin or origin == "null":
            return f"{origin[:80]!r} would let any web site call; {hint}"
        parts, problem = _url(origin, ("http", "https"), hint)
        if not parts:
            return f"{origin[:80]!r} {problem}"
        if parts.path:
            return f"{origin[:80]!r} has a path; {hint}"
        if problem := _transport(parts, dev=dev):
            return f"{origin[:80]!r} {problem}"
    return None


def proxies(value: Sequence[str], _dev: bool) -> str | None:
    """Addresses and networks whose X-Forwarded-For is believed; all of the internet is none."""
    hint = "write addresses or networks such as 127.0.0.1 or 10.87.1.0/24, separated by commas"
    for entry in value:
        try:
            network = ip_network(entry)
        except ValueError:
            return f"{entry[:80]!r} is no address or network; {hint}"
        if network.prefixlen == 0:
            return f"{entry[:80]!r} would let any caller make up its address; {hint}"
    return None


def redis_url(value: SecretStr | None, _dev: bool) -> str | None:
    """A Redis URL: without TLS only to this machine or to a container."""
    if value is None:
        return None
    hint = "write redis://redis:6379/0 or rediss://..."
    try:
        parts = urlsplit(value.get_secret_value())
        _ = parts.port
    except ValueError:
        return f"is no URL; {hint}"
    host = parts.hostname or ""
    if parts.scheme not in {"redis", "rediss"} or not host:
        return f"is no Redis URL; {hint}"
    if parts.scheme == "redis" and not is_loopback(host) and re.search(r"[.:]", host):
        return "goes to another machine without TLS; write rediss://..."
    return secret(SecretStr(parts.password), _dev) if parts.password else None


def secret(value: SecretStr | None, _dev: bool) -> str | None:
    """A secret that was really made: no placeholder, not short, not one character over and over."""
    if value is None:
        return None
    text = value.get_secret_value()
    letters = re.sub(r"[^a-z]", "", text.lower())
    made_up = letters in _PLACEHOLDERS or any(word in letters for word in _PLACEHOLDER_WORDS)
    if made_up or re.search(r"^<.*>$|^\$\{.*\}$|^(.)\1*$", text):
        return "is a placeholder; write a random value, such as the output of `openssl rand -hex 32`"
    if len(text) < MIN_SECRET_LENGTH:
        return f"is shorter than {MIN_SECRET_LENGTH} characters; write the output of `openssl rand -hex 32`"
    return None


def collector(value: str | None, _dev: bool) -> str | None:
    """The base URL of a collector."""
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or value.endswith("/"):
        return "is no base URL; write scheme, host and port, such as http://collector:4318"
    return None


def syslog(value: str, _dev: bool) -> str | None:
    """A socket of this machine, or a host that takes datagrams."""
    if value.startswith("/"):
        return None
    parts = urlsplit(value)
    if parts.scheme != "udp" or not parts.hostname:
        return "is no syslog; write a path such as /dev/log, or udp://host:514"
    return None


AUDIT_SINKS: Final = {"stdout": None, "file": "audit_file", "syslog": None, "otlp": "otlp_endpoint"}


def audit_sinks(value: Sequence[str], others: Mapping[str, Any]) -> str | None:
    """At least one sink, each known, and each with what it needs.

    Args:
        value: names of sinks.
        others: the settings that were read before.
    """
    if not value or (unknown := [name for name in value if name not in AUDIT_SINKS]):
        what = f"{unknown[0]!r} is no sink" if value else "names no sink"
        return f"{what}; write some of: {', '.join(AUDIT_SINKS)}"
    for name in value:
        if (needed := AUDIT_SINKS[name]) and not others.get(needed):
            return f"the sink {name} needs SECURE_MCP_{needed.upper()}; set it, or leave the sink out"
    if "file" in value and not others["audit_file"].absolute().parent.is_dir():
        return f"the folder {others['audit_file'].absolute().parent} does not exist; make it, or write another file"
    return None


RULES: Final[dict[str, Callable[[Any, bool], str | None]]] = {
    "audience": audience,
    "issuer": issuer,
    "issuer_internal_url": internal_url,
    "algorithms": algorithms,
    "cors_origins": origins,
    "redis_url": redis_url,
    "client_secret": secret,
    "otlp_endpoint": collector,
    "audit_syslog": syslog,
    "trusted_proxies": proxies,
}
"""The rule of each setting that has one; the second argument says whether the environment is `dev`."""
