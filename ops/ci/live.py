"""The live realm of an environment, for `secure-mcp audit`: where it is stands in the plan's own variables."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ops.containers.root import planned_values
from ops.errors import OperatorError
from ops.secrets import ACCOUNTS

AUDITOR: Final = "auditor"
_SECRETS: Final = "TF_VAR_client_secrets"


def audit_arguments(planned: Mapping[str, Any], secrets: Path) -> list[str]:
    """Return the options of `secure-mcp audit` for the realm that was planned.

    Args:
        planned: plan of terraform/keycloak as JSON.
        secrets: folder with the auditor's secret, see `auditor_secret`.
    """
    values = planned_values(planned)
    given = {
        "--keycloak-url": values.get("keycloak_url"),
        "--public-url": values.get("public_url"),
        "--realm": values.get("realm_name"),
        "--ssl-required": values.get("ssl_required"),
        "--secrets": str(secrets),
        "--known": str(secrets / "registered-clients.json"),
    }
    if public := values.get("keycloak_public_url"):
        given["--issuer"] = f"{public}/realms/{values.get('realm_name')}"
    return [word for name, value in given.items() if value for word in (name, str(value))]


def auditor_secret(folder: Path) -> None:
    """Write the secret of the account `auditor` from TF_VAR_client_secrets into a file, for this job only.

    Raises:
        OperatorError: the variable does not hold it.
    """
    try:
        secret = json.loads(os.environ.get(_SECRETS, ""))[AUDITOR]
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            f"{_SECRETS} holds no secret of `{AUDITOR}`.",
            f"Add it to the JSON, beside {', '.join(name for name in ACCOUNTS if name != AUDITOR)}.",
        ) from error
    file = folder / AUDITOR
    file.touch(mode=0o600)
    file.write_text(f"{secret}\n", encoding="utf-8")
    file.chmod(0o400)
