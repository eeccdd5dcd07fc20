"""Tokens that somebody made up or tampered with: 401 invalid_token by both entrances, and never a 5xx."""

import hashlib
import hmac
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support import client
from tests.support.http import Service
from tests.support.oauth import base64url, base64url_decode, claims_of, header_of
from tests.support.realm import Stack
from tests.support.verdict import assert_refused


def _part(value: object) -> str:
    return base64url(json.dumps(value).encode())


def _flip(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _tampered_payload(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{_part(claims_of(token) | {'scope': 'mcp:read mcp:write'})}.{signature}"


def _foreign_key(token: str) -> str:
    header = header_of(token)
    return jwt.encode({"alg": "RS256", "kid": header["kid"]}, claims_of(token), RSAKey.generate_key(2048))


def _embedded_key(token: str) -> str:
    key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": key.as_dict(private=False)}
    signed = jwt.encode({"alg": "RS256"}, claims_of(token), key)
    content = f"{_part(header)}.{signed.split('.')[1]}"
    return f"{content}.{base64url(_sign(key, content))}"


def _sign(key: RSAKey, content: str) -> bytes:
    return key.get_op_key("sign").sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())


FORGERIES: dict[str, Callable[[str], str]] = {
    "claims changed": _tampered_payload,
    "first signature character changed": lambda token: _flip(token, token.rindex(".") + 1),
    "middle signature character changed": lambda token: _flip(token, (token.rindex(".") + len(token)) // 2),
    "claims character changed": lambda token: _flip(token, token.index(".") + 20),
    "no signature": lambda token: token[: token.rindex(".") + 1],
    "signature cut": lambda token: token[:-4],
    "alg none": lambda token: f"{_part({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}.",
    "alg NONE": lambda token: f"{_part({'alg': 'NONE'})}.{token.split('.')[1]}.",
    "alg none, signature kept": lambda token: ".".join([_part({"alg": "none"}), *token.split(".")[1:]]),
    "another key under our kid": _foreign_key,
    "key in the header": _embedded_key,
    "two parts": lambda token: token[: token.rindex(".")],
    "four parts": lambda token: token + ".x",
    "not base64url": lambda token: token.replace("e", "%", 1),
    "claims of JSON text": lambda token: ".".join([token.split(".")[0], _part("text"), token.split(".")[2]]),
    "header nested 3000 deep": lambda token: ".".join([base64url(b"[" * 3000), *token.split(".")[1:]]),
    "header alg is a list": lambda token: ".".join([_part({"alg": ["RS256"]}), *token.split(".")[1:]]),
    "header crit unknown": lambda token: ".".join([_part(header_of(token) | {"crit": ["x"]}), *token.split(".")[1:]]),
    "header crit is a number": lambda token: ".".join([_part(header_of(token) | {"crit": [1]}), *token.split(".")[1:]]),
    "a word": lambda _: "hello",
    "dots": lambda _: "..",
    "60 KB": lambda token: token + "A" * 60_000,
}


@pytest.mark.requirement("MCP-R9", "MCP-R12", "RFC8725-3.1")
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused(
    stack: Stack, service: Service, reader_token: str, forge: Callable[[str], str]
) -> None:
    forged = forge(reader_token)
    assert forged != reader_token
    assert_refused(service, stack, forged)


@pytest.mark.requirement("RFC8725-3.1")
def test_a_public_key_is_no_shared_secret(stack: Stack, service: Service, reader_token: str) -> None:
    """The confusion of RS256 with HS256: the attacker signs with the published key as if it were a password."""
    kid = header_of(reader_token)["kid"]
    keys = client.get(f"{stack.issuer}/protocol/openid-connect/certs").json()["keys"]
    published = RSAKey.import_key(next(key for key in keys if key["kid"] == kid))
    pem = published.as_pem(private=False)
    for secret in (pem, pem.strip(), base64url_decode(published.as_dict(private=False)["n"])):
        content = f"{_part({'alg': 'HS256', 'kid': kid, 'typ': 'JWT'})}.{reader_token.split('.')[1]}"
        signature = _hmac(secret, content)
        assert_refused(service, stack, f"{content}.{signature}")


def _hmac(secret: bytes, content: str) -> str:
    return base64url(hmac.new(secret, content.encode(), hashlib.sha256).digest())
