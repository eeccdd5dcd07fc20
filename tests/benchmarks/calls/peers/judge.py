"""A plain verifier, as most people write it."""

from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.benchmarks.calls.peers import AUDIENCE, ISSUER, JWKS


class Judge:
    """A plain verifier: joserfc, key set at hand, issuer and audience checked."""

    def __init__(self) -> None:
        self._keys = KeySet.import_key_set(JWKS)  # type: ignore[arg-type]
        self._claims = jwt.JWTClaimsRegistry(
            leeway=30, iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}
        )

    def judge(self, token: str) -> dict[str, Any]:
        decoded = jwt.decode(token, self._keys, algorithms=["RS256"])
        self._claims.validate(decoded.claims)
        return decoded.claims
