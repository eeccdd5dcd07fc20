"""Settings of the programs in containers: secrets among them, and switches that leave a protection out."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.checks.containers import KINDS, both
from ops.review.plan import Change, Plan, blocks, texts
from ops.review.rules import Hit, about, hit
from ops.review.values import is_plain

_SECRET = re.compile(r"(PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?|ACCESS_?KEY)(_|$)")
_NO_SECRET = re.compile(r"(_FILE|_PATH|_DIR|_URL|_TTL|_SECONDS|_ENABLED|_ID|_NAME|_VERSION)$")
_IN_URL = re.compile(r"://[^/@:\s]*:[^/@\s]+@")
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|(?i:password|secret)\s*[=:]\s*\S")
_WEAK = {
    ("POSTGRES_HOST_AUTH_METHOD", "trust"): "PostgreSQL asks for no password (POSTGRES_HOST_AUTH_METHOD=trust)",
    ("KC_HOSTNAME_STRICT", "false"): "Keycloak believes any host name (KC_HOSTNAME_STRICT=false)",
    ("KC_HOSTNAME_DEBUG", "true"): "Keycloak shows its settings to everybody (KC_HOSTNAME_DEBUG=true)",
    (
        "KC_HTTPS_CLIENT_AUTH",
        "request",
    ): "Keycloak asks for a client certificate but does without (KC_HTTPS_CLIENT_AUTH)",
    ("SECURE_MCP_ENVIRONMENT", "dev"): "the service runs with the rules of a developer's machine",
}
_TRUST = ("KC_PROXY_TRUSTED_ADDRESSES", "KC_PROXY_HEADERS", "KC_HOSTNAME", "KC_HOSTNAME_ADMIN", "SECURE_MCP_ALGORITHMS",
          "SECURE_MCP_ALLOWED_CLIENTS", "SECURE_MCP_AUDIENCE", "SECURE_MCP_CORS_ORIGINS", "SECURE_MCP_ISSUER",
          "SECURE_MCP_ISSUER_INTERNAL_URL")  # fmt: skip


@about(*KINDS)
def secrets(change: Change, plan: Plan) -> Iterator[Hit]:
    """Secrets among the environment variables and uploaded files; their values are never said."""
    name, (before, after) = plan.names.own(change), both(change)
    old = environment(before)
    for variable, value in environment(after).items():
        if old.get(variable) == value or not value or variable.startswith("FILE_"):
            continue
        named = _SECRET.search(variable.upper()) and not _NO_SECRET.search(variable.upper())
        plain = value.lower() in ("true", "false") or value.isdigit() or value.startswith("/")
        if (named and not plain) or _IN_URL.search(value):
            yield hit("env-secret", name=name, variable=variable)
    for upload in blocks(change.after.get("upload")):
        if upload not in blocks(change.before.get("upload")) and _KEY_BLOCK.search(str(upload.get("content") or "")):
            yield hit("upload-secret", name=name, file=upload.get("file"))


@about(*KINDS)
def switches(change: Change, plan: Plan) -> Iterator[Hit]:
    """Settings that leave a protection out."""
    name, (before, after) = plan.names.own(change), both(change)
    if not change.remains:
        return
    old, new = environment(before), environment(after)
    for (variable, value), what in _WEAK.items():
        later = change.existed or not variable.startswith("SECURE_MCP_")
        if new.get(variable) == value != old.get(variable) and later:
            yield hit("program-setting-weaker", name=name, what=what)
    command, earlier = texts(after.get("command")), texts(before.get("command"))
    if "start-dev" in command and "start-dev" not in earlier:
        yield hit("program-setting-weaker", name=name, what="Keycloak starts in development mode (start-dev)")
    if is_plain(new.get("KC_HOSTNAME", "")) and old.get("KC_HOSTNAME") != new["KC_HOSTNAME"]:
        yield hit(
            "program-setting-weaker", name=name, what=f"Keycloak is public over plain http ({new['KC_HOSTNAME']})"
        )
    if not change.existed or change.is_unknown("env"):
        return
    for variable in _TRUST:
        was, now = old.get(variable), new.get(variable)
        if was != now:
            yield hit("program-trust-changed", name=name, variable=variable, before=was or "unset", now=now or "unset")


def environment(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables of a container."""
    return {name: value for name, _, value in (entry.partition("=") for entry in texts(values.get("env")))}
