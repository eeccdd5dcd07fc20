"""An access token of a service account, which proves itself by its secret or by its private key."""

from pathlib import Path
from typing import Any

from ops.assertion import client_assertion, read_key
from ops.environment import Environment
from ops.secrets import read_secret
from ops.token_cache import cached, forget
from ops.tokens import client_credentials, request_token


def machine_token(
    environment: Environment,
    client_id: str,
    scope: str | None,
    key: Path | None = None,
    key_id: str | None = None,
    *,
    fresh: bool = False,
) -> str:
    """Return an access token by the client credentials grant (RFC 6749 section 4.4), a kept one where there is one.

    Args:
        client_id: the service account.
        scope: scopes separated by spaces; None means the client's default.
        key: its private key; None means that its secret is in the state folder.
        key_id: the key's name in the set that the client publishes.
        fresh: forget what is kept.

    Raises:
        OperatorError: key or secret cannot be had, or there is no answer, or a refusal.
    """
    folder = environment.state / "tokens"
    if fresh:
        forget(folder)

    def fetch() -> dict[str, Any]:
        if key is None:
            secret = read_secret(environment.secrets, client_id)
            return client_credentials(environment.token_endpoint, client_id, secret, scope)
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        form |= client_assertion(client_id, read_key(key), environment.issuer, key_id)
        return request_token(environment.token_endpoint, form)

    proof = (str(key.absolute()), key_id or "") if key else ("secret", "")
    return cached(folder, (environment.token_endpoint, client_id, scope or "", *proof), fetch)
