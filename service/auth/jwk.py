"""JSON Web Keys (RFC 7517) that may verify a token: imported one by one, under our own policy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import base64_to_int, to_bytes, urlsafe_b64decode

MAX_KEYS: Final = 32
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192

SUPPORTED_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")

# RFC 9864: EdDSA with an Ed25519 key and Ed25519 are one algorithm with two names.
_SAME: Final = {"EdDSA": ("EdDSA", "Ed25519"), "Ed25519": ("EdDSA", "Ed25519")}
_DEFAULT: Final = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}
_KEY_TYPE: Final = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
_CLASSES: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
# CVE-2017-15361 by its fingerprint; these primes let one in 10^8 of other keys look the same.
_ROCA_PRIMES: Final = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_ROCA: Final = {prime: frozenset(pow(65537, k, prime) for k in range(prime)) for prime in _ROCA_PRIMES}
# The y of the points of order 1, 2, 4 and 8 on edwards25519; the sign of x does not matter.
_ED25519_P: Final = 2**255 - 19
_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER: Final = frozenset({0, 1, _ED25519_P - 1, _ORDER_8, _ED25519_P - _ORDER_8})
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class _Algorithm(Protocol):
    """What joserfc's registry returns for an algorithm (RFC 7518 section 3)."""

    def check_key(self, key: Any) -> None: ...

    def verify(self, msg: bytes, sig: bytes, key: Any) -> bool: ...


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key that verifies one algorithm (RFC 8725bis: a key is used with exactly one).

    `names` are the values of `alg` that mean this algorithm. Two are equal when they verify the same: `thumbprint`
    (RFC 7638) tells other numbers under the same `kid`.
    """

    kid: str
    names: frozenset[str]
    thumbprint: str
    model: _Algorithm = field(compare=False)
    key: Key = field(compare=False)

    def verify(self, signing_input: bytes, signature: bytes) -> bool:
        """Say whether the signature over the JWS signing input (RFC 7515 section 5.2) is this key's."""
        return self.model.verify(signing_input, signature, self.key)


class _Unusable(Exception):
    """The key breaks the policy; the text is the reason."""


def import_keys(
    document: object, algorithms: Sequence[str]
) -> tuple[dict[str, VerificationKey], list[tuple[str, str]]]:
    """Take the usable keys from a JWK Set (RFC 7517 section 5); a bad one never blocks the others.

    Args:
        document: the parsed JSON of the JWK Set.
        algorithms: the allowed values of `alg`.

    Returns:
        The keys by `kid`, and the dropped ones as (shortened `kid`, reason).
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return {}, [("", "no_key_set")]
    usable: dict[str, VerificationKey] = {}
    dropped: list[tuple[str, str]] = []
    duplicates = _duplicates(entries[:MAX_KEYS])
    for entry in entries[:MAX_KEYS]:
        try:
            key = _import_key(entry, algorithms)
            if key.kid in duplicates:
                raise _Unusable("duplicate_kid")
            usable[key.kid] = key
        except _Unusable as error:
            kid = entry.get("kid") if isinstance(entry, dict) else None
            dropped.append((ascii(kid)[:64], str(error)))
    if len(entries) > MAX_KEYS:
        dropped.append(("", "too_many_keys"))
    return usable, dropped


def _duplicates(entries: Sequence[object]) -> frozenset[str]:
    kids = [entry.get("kid") for entry in entries if isinstance(entry, dict)]
    return frozenset(kid for kid in kids if isinstance(kid, str) and kids.count(kid) > 1)


def _import_key(entry: object, algorithms: Sequence[str]) -> VerificationKey:
    if not isinstance(entry, dict):
        raise _Unusable("no_object")
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 200:
        raise _Unusable("no_kid")
    if entry.get("kty") not in _CLASSES:
        raise _Unusable("key_type")
    if _PRIVATE_MEMBERS & entry.keys():
        raise _Unusable("private_key")
    if entry.get("use", "sig") != "sig":
        raise _Unusable("use")
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise _Unusable("key_ops")
    algorithm = entry.get("alg", _DEFAULT[entry["kty"]])
    names = frozenset(_algorithm_names(algorithm)) & frozenset(algorithms)
    if not names:
        raise _Unusable("algorithm")
    if _KEY_TYPE[algorithm] != entry["kty"]:
        raise _Unusable("key_type")
    name = "Ed25519" if entry["kty"] == "OKP" else algorithm
    model = JWSRegistry(algorithms=[name]).get_alg(name)
    key = _public_key(entry, model)
    return VerificationKey(kid, names, key.thumbprint(), model, key)


def _algorithm_names(algorithm: object) -> Iterator[str]:
    if isinstance(algorithm, str) and algorithm in SUPPORTED_ALGORITHMS:
        yield from _SAME.get(algorithm, (algorithm,))


def _public_key(entry: dict[str, Any], model: _Algorithm) -> Key:
    members = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}[entry["kty"]]
    if not all(isinstance(entry.get(name), str) and len(entry[name]) <= 2048 for name in members):
        raise _Unusable("malformed")
    if entry.get("crv") not in {"RSA": (None,), "EC": ("P-256",), "OKP": ("Ed25519",)}[entry["kty"]]:
        raise _Unusable("curve")
    # Only what the key needs goes in: x5u, jku and the like are never looked at.
    bare = {"kty": entry["kty"], **{name: entry[name] for name in members}}
    if entry["kty"] == "RSA":
        _check_rsa(entry["n"], entry["e"])
    try:
        key = _CLASSES[entry["kty"]].import_key(bare)
        model.check_key(key)
    except (JoseError, ValueError, TypeError) as error:
        raise _Unusable("malformed") from error
    if entry["kty"] == "OKP":
        _check_ed25519(entry["x"])
    return key


def _check_ed25519(point: str) -> None:
    """Refuse a point of small order (RFC 8032 section 8.8): anybody can sign for such a key, and libraries take it."""
    y = int.from_bytes(urlsafe_b64decode(to_bytes(point)), "little") % 2**255 % _ED25519_P
    if y in _SMALL_ORDER:
        raise _Unusable("weak_point")


def _check_rsa(modulus: str, exponent: str) -> None:
    """Refuse a weak key before the library sees it: it warns where we want a refusal."""
    try:
        n, e = base64_to_int(modulus), base64_to_int(exponent)
    except ValueError as error:
        raise _Unusable("malformed") from error
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
        raise _Unusable("key_size")
    if e < 65537 or e % 2 == 0:
        raise _Unusable("exponent")
    # Keys of the broken Infineon library: their modulus is a power of 65537 modulo every small prime.
    if all(n % prime in residues for prime, residues in _ROCA.items()):
        raise _Unusable("roca")
