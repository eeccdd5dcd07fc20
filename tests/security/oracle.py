"""A second opinion on tokens, from PyJWT and claim checks written anew: shares no code with service/auth."""

import base64
import json
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from tests.security.judge import LEEWAY, MAX_LIFETIME, WORLD
from tests.security.keyring import published

# The keys that may verify, by kid: the algorithm and its names.
_USABLE = {
    "RS256": {"RS256"},
    "PS256": {"PS256"},
    "ES256": {"ES256"},
    "EdDSA": {"EdDSA", "Ed25519"},
    "Ed25519": {"EdDSA", "Ed25519"},
    "no-alg": {"RS256"},
}
DECLARED = {"mcp-cli", "mcp-console", "mcp-automation", "mcp-reader", "mcp-server"}


def _keys() -> dict[str, jwt.PyJWK]:
    jwks = {str(key["kid"]): key for key in published() if key["kid"] in _USABLE}
    algorithm = {"Ed25519": "EdDSA", "no-alg": "RS256"}
    return {kid: jwt.PyJWK.from_dict({**key, "alg": algorithm.get(kid, kid)}) for kid, key in jwks.items()}


KEYS = _keys()


def accepts(token: str, now: float) -> bool:
    """Say whether a token is a good access token for the world of tests/security/judge.py."""
    try:
        header = jwt.get_unverified_header(token)
        kid, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(kid, str) or algorithm not in _USABLE.get(kid, ()):
            return False
        # PyJWT knows Ed25519 by its old name only, so its payload is verified by the part of the API that takes a name.
        names = ["EdDSA"] if algorithm == "Ed25519" else [algorithm]
        if algorithm == "Ed25519":
            return _ed25519(token, kid) and _claims(_payload(token), header, now)
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        options |= {"verify_iss": False, "verify_sub": False, "verify_jti": False}
        claims = jwt.decode(token, KEYS[kid].key, algorithms=names, options=options)
        return _claims(claims, header, now)
    except (PyJWTError, ValueError, RecursionError, OverflowError, TypeError):
        return False


def _payload(token: str) -> dict[str, Any]:
    segment = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    if not isinstance(claims, dict):
        raise TypeError("no object")
    return claims


def _ed25519(token: str, kid: str) -> bool:
    signing_input, _, signature = token.rpartition(".")
    proof = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    return bool(KEYS[kid].Algorithm.verify(signing_input.encode(), KEYS[kid].key, proof))


def _claims(claims: dict[str, Any], header: dict[str, Any], now: float) -> bool:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    client = claims["azp"] if "azp" in claims else claims.get("client_id")
    numbers = [claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)]
    if not all(type(number) in (int, float) for number in numbers):
        return False
    expires, issued, begins = numbers
    return bool(
        str(header.get("typ")).lower() in ("jwt", "at+jwt", "application/at+jwt")
        and claims.get("typ") == "Bearer"
        and claims.get("iss") == WORLD.iss
        and all(isinstance(entry, str) for entry in audiences)
        and WORLD.aud in audiences
        and "cnf" not in claims
        and expires + LEEWAY > now
        and issued - LEEWAY <= now
        and begins - LEEWAY <= now
        and expires - issued <= MAX_LIFETIME
        and _visible(claims.get("sub"))
        and _visible(client)
        and isinstance(claims.get("scope", ""), str)
        and (_visible(claims.get("sid")) or client in DECLARED)
    )


def _visible(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) < 256 and all("!" <= character <= "~" for character in value)
