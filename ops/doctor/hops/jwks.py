"""Hop JWKS: the realm's public keys, their algorithms and sizes (RFC 7517, RFC 7518)."""

import warnings
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from ops.doctor.chain import Chain, Hop

_SMALLEST_RSA = 2048
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


async def check(chain: Chain) -> Hop:
    """Fetch the keys and judge each."""
    hop = Hop("JWKS")
    url = chain.server.get("jwks_uri")
    if not isinstance(url, str):
        return hop.skip("no jwks_uri is known")
    answer = await chain.fetcher.send("GET", url)
    document = answer.json()
    keys = document.get("keys") if document else None
    if not isinstance(keys, list):
        hop.fault("JWKS-NONE", f"{url}: {answer.said()}{'' if answer.status != 200 else ' without keys'}")
        if "inner network" in answer.problem:
            hop.fault("REDIRECT-INNER", f"jwks_uri is {url}")
        return hop
    chain.keys = [key for key in keys if isinstance(key, dict)]
    _judge(hop, chain.keys)
    hop.seen = ", ".join(sorted(_describe(key) for key in chain.keys[:8])) or "no keys"
    return hop


def public_key(key: Mapping[str, Any]) -> Key | None:
    """Return a key that verifies signatures, or None where it is none."""
    public = {name: value for name, value in key.items() if name not in _PRIVATE}
    try:
        with warnings.catch_warnings():  # a weak key is a finding here, not a warning on the terminal
            warnings.simplefilter("ignore", SecurityWarning)
            return JWKRegistry.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _judge(hop: Hop, keys: list[Mapping[str, Any]]) -> None:
    for key in keys:
        if _PRIVATE & key.keys():
            hop.fault("JWKS-SECRET", f"key {key.get('kid')} shows {', '.join(sorted(_PRIVATE & key.keys()))}")
        found = public_key(key)
        if isinstance(found, RSAKey) and (size := found.raw_value.key_size) < _SMALLEST_RSA:
            hop.fault("JWKS-WEAK", f"key {key.get('kid')} is RSA of {size} bits")
        elif isinstance(found, RSAKey) and (exponent := _exponent(found)) < 65537:
            hop.fault("JWKS-WEAK", f"key {key.get('kid')} has the public exponent {exponent}")
    signing = [key for key in keys if key.get("use", "sig") == "sig" and _is_asymmetric(public_key(key))]
    if not signing:
        hop.fault("JWKS-NO-SIGNATURE", f"{len(keys)} keys, none of them RSA, EC or OKP for signatures")
    names = [key.get("kid") for key in keys]
    if None in names or len(set(map(str, names))) < len(names):
        hop.fault("JWKS-KID", f"key ids: {', '.join(map(str, names))}")


def _is_asymmetric(key: Key | None) -> bool:
    return isinstance(key, RSAKey | ECKey | OKPKey)


def _exponent(key: RSAKey) -> int:
    return key.public_key.public_numbers().e


def _describe(key: Mapping[str, Any]) -> str:
    found = public_key(key)
    size = f" {found.raw_value.key_size} bits" if isinstance(found, RSAKey) else f" {key.get('crv', '')}".rstrip()
    return f"{key.get('alg') or key.get('kty')}{size} ({key.get('use', 'any use')})"
