"""What a client needs: PKCE pairs, token requests, and a look into a token without judging it."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support import client

CLIENT_CREDENTIALS = "client_credentials"
AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"

ISSUED: set[str] = set()
"""Every token that a test was given in this run: no log may hold any of them."""


def base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def base64url_decode(text: str) -> bytes:
    """Decode what has no padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def header_of(token: str) -> dict[str, Any]:
    """Return the JOSE header of a JWS, unchecked."""
    return json.loads(base64url_decode(token.split(".")[0]))


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unchecked."""
    return json.loads(base64url_decode(token.split(".")[1]))


def audiences_of(token: str) -> list[str]:
    """Return `aud` as a list: RFC 7519 section 4.1.3 lets a single one be a plain string."""
    aud = claims_of(token).get("aud", [])
    return [aud] if isinstance(aud, str) else aud


@dataclass(frozen=True)
class Pkce:
    """A code verifier and its S256 challenge (RFC 7636 section 4)."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        return base64url(hashlib.sha256(self.verifier.encode()).digest())


def request_token(token_endpoint: str, grant_type: str, **parameters: str | None) -> httpx.Response:
    """Ask a token endpoint; parameters that are None are left out (RFC 6749 section 3.2)."""
    form = {"grant_type": grant_type} | {name: value for name, value in parameters.items() if value is not None}
    response = client.post(token_endpoint, data=form)
    if response.is_success:
        answer = response.json()
        ISSUED.update(answer[name] for name in ("access_token", "refresh_token", "id_token") if name in answer)
    return response
