"""What a refused caller is told: status, `WWW-Authenticate`, JSON body (RFC 6750 section 3, RFC 9728 section 5.1)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

JSON: Final = (b"content-type", b"application/json")
NO_STORE: Final = (b"cache-control", b"no-store")

Header = tuple[bytes, bytes]


class Refusal(Exception):
    """An answer that refuses a request.

    Args:
        status: HTTP status.
        reason: a word for the log, from a closed list.
        body: the JSON body.
        headers: further headers.
    """

    def __init__(self, status: int, reason: str, body: Mapping[str, Any], headers: Iterable[Header] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.body = dict(body)
        self.headers = list(headers)

    def render(self, request_id: str) -> tuple[list[Header], bytes]:
        """Return headers and body.

        Args:
            request_id: correlation id; it joins a body of ours, never a JSON-RPC body.
        """
        body = self.body if "jsonrpc" in self.body else {**self.body, "request_id": request_id}
        content = json.dumps(body).encode()
        return [JSON, NO_STORE, (b"content-length", str(len(content)).encode()), *self.headers], content


class Challenges:
    """Makes the refusals of one resource.

    Args:
        resource_metadata: URL of the protected resource metadata.
        first_scopes: scopes that a first call needs.
        declared_clients: clients that may ask for every scope of theirs; another one registered by itself.
    """

    def __init__(
        self, resource_metadata: str, first_scopes: Iterable[str], declared_clients: Iterable[str] = ()
    ) -> None:
        self._metadata = resource_metadata
        self._first_scopes = tuple(first_scopes)
        self._declared = frozenset(declared_clients)

    def no_credentials(self, reason: str) -> Refusal:
        """401 without `error`, as RFC 6750 section 3.1 wants it when no bearer token came."""
        header = self._header(scope=self._first_scopes)
        return self._refusal(401, reason, "unauthorized", "Send an access token: Authorization: Bearer <token>", header)

    def invalid_token(self, reason: str, description: str) -> Refusal:
        """401 `invalid_token`.

        Args:
            reason: a word for the log.
            description: fixed text that is safe to show.
        """
        header = self._header("invalid_token", description, self._first_scopes)
        return self._refusal(401, reason, "invalid_token", description, header)

    def insufficient_scope(self, scopes: Iterable[str], client_id: str | None = None) -> Refusal:
        """403 `insufficient_scope`, naming all scopes that the call needs (MCP authorization, scope challenges).

        Args:
            scopes: all scopes that the call needs.
            client_id: who calls. A client that registered with fewer scopes cannot step up, and is told what to do.
        """
        needed = tuple(scopes)
        description = f"This call needs the scope {' '.join(needed)}"
        if client_id is not None and client_id not in self._declared:
            description += (
                ". Should the authorization server answer invalid_scope, this client registered with fewer scopes: "
                "register it again without naming any"
            )
        header = self._header("insufficient_scope", description, needed)
        return self._refusal(403, "insufficient_scope", "insufficient_scope", description, header)

    def invalid_request(self, reason: str, description: str) -> Refusal:
        """400 `invalid_request`.

        Args:
            reason: a word for the log.
            description: fixed text that is safe to show.
        """
        header = self._header("invalid_request", description)
        return self._refusal(400, reason, "invalid_request", description, header)

    def keys_unavailable(self, retry_after: int) -> Refusal:
        """503: the token cannot be judged now. Never a 401, which would make clients throw good tokens away.

        Args:
            retry_after: seconds after which another try makes sense.
        """
        description = "The authorization server's keys are not available; try again later"
        refusal = self._refusal(503, "keys_unavailable", "temporarily_unavailable", description)
        refusal.headers.append((b"retry-after", str(max(1, int(retry_after))).encode()))
        return refusal

    def too_many_requests(self, retry_after: int) -> Refusal:
        """429: this caller sends more than one caller may (RFC 6585 section 4).

        Args:
            retry_after: seconds after which one request more is within the rate.
        """
        description = "Too many requests of one caller. Wait as long as Retry-After says"
        refusal = self._refusal(429, "caller_rate_limited", "too_many_requests", description)
        refusal.headers.append((b"retry-after", b"%d" % retry_after))
        return refusal

    def _header(self, error: str = "", description: str = "", scope: Iterable[str] = ()) -> str:
        names = ("error", "error_description", "resource_metadata", "scope")
        values = (error, description, self._metadata, " ".join(scope))
        return "Bearer " + ", ".join(
            f"{name}={_quote(value)}" for name, value in zip(names, values, strict=True) if value
        )

    @staticmethod
    def _refusal(status: int, reason: str, error: str, description: str, header: str = "") -> Refusal:
        headers = [(b"www-authenticate", header.encode("ascii"))] if header else []
        return Refusal(status, reason, {"error": error, "error_description": description}, headers)


def simple_refusal(status: int, error: str, description: str, *headers: Header) -> Refusal:
    """Return a refusal that no other credentials could change.

    Args:
        status: HTTP status.
        error: a word for programs and for the log.
        description: what to do about it.
        headers: further headers.
    """
    return Refusal(status, error, {"error": error, "error_description": description}, headers)


def _quote(value: str) -> str:
    """Return a quoted-string (RFC 9110 section 5.6.4), with nothing that could end it or the header."""
    printable = "".join(char if " " <= char <= "~" else "?" for char in value)
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
