"""Signatures over anything, good and bad, with `cryptography` itself so that no library's checks are in the way."""

import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.security.keyring import certificate, jwk, private_key
from tests.unit.jose import encode

_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def sign(name: str, algorithm: str, signing_input: bytes) -> bytes:
    """Sign with a key of the ring as the algorithm wants it (RFC 7518 section 3)."""
    key = private_key(name)
    if isinstance(key, rsa.RSAPrivateKey):
        digest = _HASHES.get(algorithm[2:5], hashes.SHA256())
        if algorithm.startswith("PS"):
            return key.sign(signing_input, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return key.sign(signing_input, padding.PKCS1v15(), digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        digest = {32: hashes.SHA256(), 48: hashes.SHA384(), 66: hashes.SHA512()}[size]
        r, s = decode_dss_signature(key.sign(signing_input, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    assert isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return key.sign(signing_input)


def hmac_signature(algorithm: str, secret: bytes, signing_input: bytes) -> bytes:
    """Return the HMAC of HS256, HS384 or HS512."""
    return hmac.new(secret, signing_input, f"sha{algorithm[2:5]}").digest()


def public_as_secret(name: str, form: str) -> bytes:
    """Return a public key in a form that an attacker may use as an HMAC secret."""
    public = private_key(name).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forms = {
        "pem": pem,
        "pem-stripped": pem.strip(),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk(name, name, alg=name, use="sig")).encode(),
        "x5c": encode(certificate(name)).encode(),
    }
    return forms[form]


def der_of(signature: bytes) -> bytes:
    """Return an ES256 signature in the DER form, which JWS does not use."""
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def rsa_plus_modulus(name: str, signature: bytes) -> bytes:
    """Return s + n: the same residue, not reduced; one byte longer where it does not fit."""
    key = private_key(name)
    assert isinstance(key, rsa.RSAPrivateKey)
    number = int.from_bytes(signature, "big") + key.public_key().public_numbers().n
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def exponent_1_signature(signing_input: bytes, size: int = 256) -> bytes:
    """Return what verifies under a public exponent of 1: the padded digest itself (RFC 8017 section 9.2)."""
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    digest = prefix + hashlib.sha256(signing_input).digest()
    return b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
