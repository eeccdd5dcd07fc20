"""A client that proves itself by a signature and has no secret: private_key_jwt (RFC 7523 section 2.2)."""

import secrets
import stat
import time
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from ops.errors import OperatorError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_S = 60
_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_MAKE = "Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE; chmod 400 FILE"


def read_key(path: Path) -> RSAKey | ECKey:
    """Return a private key.

    Args:
        path: PEM file that nobody but its owner can read.

    Raises:
        OperatorError: it is missing, readable by others, or no private RSA or EC key.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_bytes()
    except OSError as error:
        raise OperatorError(f"There is no key {path}: {error.strerror}.", _MAKE) from error
    if mode & 0o077:
        raise OperatorError(f"Others can read the key {path} (mode {mode:04o}).", f"Close it: chmod 400 {path}")
    for kind in ("RSA", "EC"):
        try:
            key = import_key(text, kind)
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, RSAKey | ECKey) and key.is_private:
            return key
    raise OperatorError(f"{path} holds no private RSA or EC key in PEM.", _MAKE)


def client_assertion(client_id: str, key: RSAKey | ECKey, audience: str, key_id: str | None = None) -> dict[str, str]:
    """Return the parameters by which a client authenticates at the token endpoint.

    Args:
        client_id: the client.
        key: its private key.
        audience: issuer identifier of the authorization server, and nobody else's (RFC 7523 section 3).
        key_id: which key of a published set it is; None where the server knows one certificate, which has no such name.
    """
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + LIFETIME_S,
    }
    algorithm = "RS256" if isinstance(key, RSAKey) else _ALGORITHMS[str(key.curve_name)]
    header = {"alg": algorithm} | ({"kid": key_id} if key_id else {})
    signed = jwt.encode(header, claims, key, algorithms=[algorithm])
    return {"client_id": client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
