"""The issuer that the realm gives itself; asked first, for whoever moves it shuts out every account that would look."""

import httpx

from ops.errors import findings, unreachable
from ops.trust import tls_context


def live_issuer(keycloak_url: str, realm: str) -> str:
    """Return the issuer that the realm's metadata names (RFC 8414 section 3).

    Args:
        keycloak_url: base URL of Keycloak.
        realm: name of the realm.

    Raises:
        OperatorError: Keycloak does not answer (exit code 3), or has no such realm (exit code 1).
    """
    url = f"{keycloak_url}/realms/{realm}/.well-known/openid-configuration"
    try:
        answer = httpx.get(url, timeout=30, trust_env=False, verify=tls_context())
    except httpx.TransportError as error:
        raise unreachable(f"Keycloak does not answer at {url}: {error}.", "Look: secure-mcp status") from error
    if not answer.is_success:
        raise findings(f"{url} answers {answer.status_code}.", f"Is {realm} the name of the realm, and is it enabled?")
    return str(answer.json()["issuer"])
