"""Access tokens from the realm's token endpoint (RFC 6749 section 3.2)."""

import base64
import binascii
import json
from typing import Any

import httpx

from ops.errors import OperatorError, findings, unreachable
from ops.trust import tls_context


def client_credentials(token_endpoint: str, client_id: str, secret: str, scope: str | None = None) -> dict[str, Any]:
    """Get a token for a service account (RFC 6749 section 4.4).

    Args:
        token_endpoint: URL.
        client_id: the client.
        secret: its secret, sent by HTTP Basic (section 2.3.1).
        scope: scopes separated by spaces; None means the client's default.

    Returns:
        The token response (section 5.1).

    Raises:
        OperatorError: no answer (exit code 3) or a refusal (exit code 1).
    """
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    return request_token(token_endpoint, form, httpx.BasicAuth(client_id, secret))


def request_token(token_endpoint: str, form: dict[str, str], auth: httpx.BasicAuth | None = None) -> dict[str, Any]:
    """Ask the token endpoint; see `client_credentials`."""
    try:
        response = httpx.post(token_endpoint, data=form, auth=auth, timeout=30, trust_env=False, verify=tls_context())
    except httpx.TransportError as error:
        raise unreachable(f"{token_endpoint} does not answer: {error}.", "Start the stack: make up") from error
    try:
        answer: dict[str, Any] = response.json()
    except ValueError as error:
        raise findings(
            f"{token_endpoint} answers {response.status_code} without JSON.", "Is another program on that port?"
        ) from error
    if not response.is_success:
        said = f"{answer.get('error')}: {answer.get('error_description', 'no description')}"
        raise findings(
            f"Keycloak gives no token ({response.status_code} {said}).",
            _what_to_do(str(answer.get("error")), str(answer.get("error_description"))),
        )
    return answer


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT without judging it: for people to look at.

    Raises:
        OperatorError: it is no JWT.
    """
    try:
        payload = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error) as error:
        raise OperatorError("This is no JWT.", "Give an access token as `secure-mcp token` prints it.") from error
    return claims


def _what_to_do(error: str, description: str) -> str:
    if "credentials" in description:  # Keycloak says unauthorized_client where RFC 6749 has invalid_client
        error = "invalid_client"
    return {
        "invalid_client": "Client or secret is wrong. If secret files were lost: make destroy, then make up.",
        "unauthorized_client": "This client is for people, who log in: secure-mcp token --browser",
        "invalid_scope": "Ask for scopes that access.yaml gives to this client.",
        "invalid_grant": "The login has expired or was used already: log in again.",
    }.get(error, "See access.yaml for what each client may do.")
