"""Keys and tokens made by hand, so that a test can make them wrong on purpose."""

import base64
import json
import time
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ISSUER = "http://localhost:8080/realms/mcp-realm"
AUDIENCE = "http://localhost:8000/mcp"
NOW = 1_800_000_000

_MADE: dict[str, RSAKey | ECKey | OKPKey] = {}


def private_key(algorithm: str = "RS256", name: str = "1") -> RSAKey | ECKey | OKPKey:
    """Return a private key for the algorithm; the same name gives the same key (RSA keys are slow to make)."""
    kid = f"{algorithm}-{name}"
    if kid not in _MADE:
        parameters: Any = {"kid": kid, "use": "sig", "alg": algorithm}
        if algorithm in ("RS256", "PS256"):
            _MADE[kid] = RSAKey.generate_key(2048, parameters)
        elif algorithm == "ES256":
            _MADE[kid] = ECKey.generate_key("P-256", parameters)
        else:
            _MADE[kid] = OKPKey.generate_key("Ed25519", parameters)
    return _MADE[kid]


def public_jwk(algorithm: str = "RS256", name: str = "1", **changes: Any) -> dict[str, Any]:
    """Return the public JWK; a change of None removes the member."""
    jwk = {**private_key(algorithm, name).as_dict(private=False), **changes}
    return {member: value for member, value in jwk.items() if value is not None}


def claims(now: float | None = None, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good Keycloak access token; a change of None removes the claim."""
    issued = int(time.time() if now is None else now)
    good = {
        "exp": issued + 300,
        "iat": issued,
        "jti": "onrtcc:6f0b9d6a",
        "iss": ISSUER,
        "aud": [AUDIENCE, "mcp-server"],
        "sub": "f3a1c0de-0000-4000-8000-000000000001",
        "typ": "Bearer",
        "azp": "mcp-automation",
        "sid": "5a6b",
        "scope": "mcp:read mcp:write",
        "realm_access": {"roles": ["mcp-user"]},
        "resource_access": {"mcp-server": {"roles": ["tool-admin"]}},
        "preferred_username": "service-account-mcp-automation",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def sign(payload: dict[str, Any] | bytes, algorithm: str = "RS256", name: str = "1", **header: Any) -> str:
    """Sign whatever is given, as it is; a header member of None is left out."""
    members = {"alg": algorithm, "typ": "JWT", "kid": f"{algorithm}-{name}", **header}
    head = json.dumps({member: value for member, value in members.items() if value is not None}).encode()
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return sign_raw(head, body, algorithm, name)


def sign_raw(head: bytes, body: bytes, algorithm: str = "RS256", name: str = "1") -> str:
    """Sign two byte strings as header and payload."""
    key = private_key(algorithm, name)
    model_name = "Ed25519" if algorithm == "EdDSA" else algorithm
    signing_input = f"{encode(head)}.{encode(body)}"
    signature = JWSRegistry(algorithms=[model_name]).get_alg(model_name).sign(signing_input.encode(), key)
    return f"{signing_input}.{encode(signature)}"
