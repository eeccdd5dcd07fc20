"""The keys of a fake authorization server: good ones, and every kind that must never verify a token."""

import datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.unit.jose import encode

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

# Material by name: how it is made. Names that share one are different keys of the set with the same numbers.
_MATERIAL: dict[str, Any] = {
    "RS256": 2048,
    "PS256": 2048,
    "ES256": ec.SECP256R1(),
    "EdDSA": ed25519.Ed25519PrivateKey,
    "Ed25519": ed25519.Ed25519PrivateKey,
    "attacker-RS256": 2048,
    "attacker-PS256": 2048,
    "attacker-ES256": ec.SECP256R1(),
    "attacker-EdDSA": ed25519.Ed25519PrivateKey,
    "other-realm": 2048,
    "spare": 2048,
    "weak": 1024,
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
    "ES256K": ec.SECP256K1(),
    "Ed448": ed448.Ed448PrivateKey,
}


@cache
def private_key(name: str) -> PrivateKey:
    """Return the private key of that name; the same one for the whole run."""
    made = _MATERIAL[name]
    if isinstance(made, int):
        return rsa.generate_private_key(public_exponent=65537, key_size=made)
    return ec.generate_private_key(made) if isinstance(made, ec.EllipticCurve) else made.generate()


def jwk(name: str, kid: str, **members: Any) -> dict[str, Any]:
    """Return the public JWK of a key (RFC 7517) with further members; a member of None is left out."""
    key = private_key(name)
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        own = {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        size = (key.curve.key_size + 7) // 8
        curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(key.curve.name, key.curve.name)
        own = {"kty": "EC", "crv": curve, "x": _integer(point.x, size), "y": _integer(point.y, size)}
    else:
        curve = "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "Ed448"
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        own = {"kty": "OKP", "crv": curve, "x": encode(raw)}
    return {member: value for member, value in {"kid": kid, **own, **members}.items() if value is not None}


def _integer(number: int, size: int | None = None) -> str:
    return encode(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


@cache
def published() -> tuple[dict[str, Any], ...]:
    """Return the JWK Set of our realm: four good keys, one under the new name of RFC 9864, and bad company."""
    sig = {"use": "sig"}
    private = private_key("spare").private_numbers()
    return (
        *(jwk(name, name, alg=name, **sig) for name in (*ALGORITHMS, "Ed25519")),
        jwk("spare", "rsa-oaep", use="enc", alg="RSA-OAEP"),  # Keycloak publishes one by default
        jwk("spare", "enc", use="enc"),
        jwk("spare", "enc-RS256", use="enc", alg="RS256"),
        jwk("spare", "key-ops", key_ops=["encrypt"]),
        jwk("spare", "no-alg", **sig),
        jwk("weak", "weak", alg="RS256", **sig),
        *(jwk("spare", name, alg=name, **sig) for name in ("RS384", "RS512", "PS384", "PS512")),
        *(jwk(name, name, alg=name, **sig) for name in ("ES384", "ES512", "ES256K")),
        jwk("Ed448", "Ed448", alg="Ed448", **sig),
        jwk("Ed448", "Ed448-as-EdDSA", alg="EdDSA", **sig),
        jwk("spare", "private", alg="RS256", d=_integer(private.d), **sig),
        jwk("spare", "exponent-1", alg="RS256", e="AQ", **sig),
        jwk("spare", "twice", alg="RS256", **sig),
        jwk("spare", "twice", alg="RS256", **sig),
        jwk("ES256", "off-curve", y=jwk("ES256", "x")["x"], **sig),
        jwk("ES256", "unknown-curve", crv="P-999", **sig),
        {"kid": "oct", "kty": "oct", "k": encode(b"secret" * 8), "alg": "HS256"},
        # The neutral element as public key: R = A, S = 0 is its valid signature of everything.
        {"kid": "small-order", "kty": "OKP", "crv": "Ed25519", "x": encode(b"\x01" + bytes(31)), "alg": "EdDSA"},
        {"kid": "no-kty", "n": "AQAB", "e": "AQAB"},
        {"kid": 5, "kty": "RSA", "n": "AQAB", "e": "AQAB"},
    )


@cache
def certificate(name: str) -> bytes:
    """Return a self-signed certificate (DER) for the key."""
    key = private_key(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    return builder.sign(key, None if name.endswith("EdDSA") else hashes.SHA256()).public_bytes(Encoding.DER)
