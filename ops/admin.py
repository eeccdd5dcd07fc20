"""The Admin REST API of Keycloak, as a service account."""

import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from ops.errors import findings, unreachable
from ops.tokens import client_credentials
from ops.trust import tls_context

_EARLY_S = 10


class AdminClient:
    """Requests below `/admin/realms`, with a token that is renewed before it expires. A context manager.

    Args:
        base_url: base URL of Keycloak, such as http://localhost:8080.
        realm: the realm that the service account lives in.
        client_id: the service account.
        client_secret: its secret.
    """

    def __init__(self, base_url: str, realm: str, client_id: str, client_secret: str) -> None:
        self._token_endpoint = f"{base_url}/realms/{quote(realm)}/protocol/openid-connect/token"
        self._client_id = client_id
        self._client_secret = client_secret
        self._token = ""
        self._renew_at = 0.0
        self._http = httpx.Client(
            base_url=f"{base_url}/admin/realms", timeout=60, trust_env=False, verify=tls_context()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **params: str | int | bool) -> Any:
        """Return the JSON answer to GET; `path` such as `/mcp-realm/clients`."""
        return self.request("GET", path, params=params).json()

    def post(self, path: str, json: Any = None, **params: str | int | bool) -> httpx.Response:
        """Send POST and return the answer."""
        return self.request("POST", path, json=json, params=params)

    def put(self, path: str, json: Any = None) -> httpx.Response:
        """Send PUT and return the answer."""
        return self.request("PUT", path, json=json)

    def delete(self, path: str, json: Any = None) -> httpx.Response:
        """Send DELETE and return the answer."""
        return self.request("DELETE", path, json=json)

    def find(self, path: str) -> Any:
        """Return the JSON answer to GET, or None where there is no such thing (404)."""
        response = self.send("GET", path)
        return None if response.status_code == httpx.codes.NOT_FOUND else self._checked(response).json()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request that has to succeed.

        Raises:
            OperatorError: Keycloak does not answer (exit code 3) or refuses (exit code 1).
        """
        return self._checked(self.send(method, path, **options))

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and return the answer, whatever its status.

        Raises:
            OperatorError: Keycloak does not answer, or gives the service account no token.
        """
        if time.monotonic() >= self._renew_at:
            answer = client_credentials(self._token_endpoint, self._client_id, self._client_secret)
            self._token = answer["access_token"]
            self._renew_at = time.monotonic() + answer["expires_in"] - _EARLY_S
        try:
            return self._http.request(method, path, headers={"Authorization": f"Bearer {self._token}"}, **options)
        except httpx.TransportError as error:
            raise unreachable(
                f"Keycloak does not answer at {self._http.base_url}: {error}.", "Look: secure-mcp status"
            ) from error

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        what = f"{response.request.method} {response.request.url.path}"
        problem = f"Keycloak answers {what} with {response.status_code}: {response.text[:300]}"
        if response.status_code == httpx.codes.FORBIDDEN:
            raise findings(problem, f"Give {self._client_id} the role that this needs.")
        raise findings(problem, "Read the log of Keycloak: secure-mcp status names it.")
