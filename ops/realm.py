"""The realm as a file: exported by the Admin API, kept as realm.lock.json, rendered for an import."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.admin import AdminClient
from ops.environment import REALM, REPOSITORY
from ops.errors import OperatorError
from ops.normalise import normalise, placeholder, rename
from ops.output import short

__all__ = ["LOCK", "export_realm", "import_values", "normalise", "read_lock", "render_lock", "write_lock"]

LOCK = REPOSITORY / "terraform" / "keycloak" / "realm.lock.json"
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[A-Za-z0-9_.-]+)(?::(?P<default>[^}]*))?\}")


def export_realm(admin: AdminClient, realm: str = REALM) -> dict[str, Any]:
    """Return the realm with clients, groups and roles; secrets are masked by Keycloak. Changes nothing.

    Args:
        admin: a service account that may read the realm, such as `terraform`.
        realm: name of the realm.
    """
    export: dict[str, Any] = admin.post(
        f"/{realm}/partial-export", exportClients=True, exportGroupsAndRoles=True
    ).json()
    return export


def read_lock(path: Path = LOCK) -> dict[str, Any]:
    """Return the lock file with its placeholders.

    Raises:
        OperatorError: it is missing or damaged.
    """
    try:
        lock: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OperatorError(
            f"{short(path)} cannot be read: {error}.", "Restore it from git: git checkout -- " + short(path)
        ) from error
    return lock


def render_lock(values: Mapping[str, str], realm_name: str = REALM, path: Path = LOCK) -> dict[str, Any]:
    """Return the lock file with its placeholders resolved as Keycloak's import does: ${NAME} and ${NAME:default}.

    Args:
        values: values by placeholder name, see `import_values`. Keycloak's own, such as ${authAdminUrl}, stay.
        realm_name: name of the realm in the result.
        path: the lock file.

    Raises:
        OperatorError: a placeholder of ours has no value.
    """
    rendered: dict[str, Any] = rename(_resolve(read_lock(path), values), REALM, realm_name)
    return rendered


def import_values(public_url: str, ssl_required: str, environment: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that an import of the lock file needs.

    Args:
        public_url: origin of the service.
        ssl_required: `none`, `external` or `all`.
        environment: name of the environment.
        secrets: client secrets by client id.
    """
    values = {
        "SECURE_MCP_PUBLIC_URL": public_url,
        "SECURE_MCP_SSL_REQUIRED": ssl_required,
        "SECURE_MCP_ENVIRONMENT": environment,
    }
    return values | {placeholder(client_id): secret for client_id, secret in secrets.items()}


def write_lock(lock: Mapping[str, Any], path: Path = LOCK) -> bool:
    """Write the lock file unless it says the same already. Returns whether it changed."""
    text = json.dumps(lock, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
    return True


def _resolve(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, values) for item in value]
    return _PLACEHOLDER.sub(lambda found: _value(found, values), value) if isinstance(value, str) else value


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    name, default = found["name"], found["default"]
    if name in values:
        return values[name]
    if default is not None:
        return default
    if name.startswith("SECURE_MCP_"):
        raise OperatorError(f"The placeholder {name} of the lock file has no value.", "Give it one, see ops/README.md.")
    return found[0]
