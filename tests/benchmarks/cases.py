"""The cases: the bare signature check, ours, and what others offer, each on the same tokens and keys.

Every verifier is first shown a good token, which it must accept, and a forged one, which it must refuse.
"""

import base64
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import jwt as pyjwt
from authlib.jose import JsonWebKey as AuthlibKey
from authlib.jose import JsonWebToken as AuthlibToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from fastapi_keycloak_middleware import KeycloakConfiguration
from fastapi_keycloak_middleware.keycloak_backend import KeycloakBackend
from fastmcp.server.auth.providers.jwt import JWTVerifier
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet
from jwcrypto.jwk import JWKSet

from service.auth.errors import TokenRefused
from service.auth.jwk import SUPPORTED_ALGORITHMS, VerificationKey, import_keys
from service.auth.token import TokenValidator
from service.contract import load_contract
from tests.benchmarks.measure import Case
from tests.unit.jose import AUDIENCE, ISSUER, claims, public_jwk, sign

ALGORITHMS = ("RS256", "ES256", "EdDSA")
TOKENS = 200
KID = "k" * 43  # as long as Keycloak's

Verifier = Callable[[str], Awaitable[object]] | Callable[[str], object]


class _Keys:
    ready = True
    epoch = 0

    def __init__(self, keys: dict[str, VerificationKey]) -> None:
        self._keys = keys

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def key(self, kid: str) -> VerificationKey | None:
        return self._keys.get(kid)


class Bench:
    """Tokens, keys and verifiers for one algorithm."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.jwk = public_jwk(algorithm, kid=KID)
        lifetime = {"exp": int(time.time()) + 3000}  # the run is longer than a real token's life
        self.tokens = [self.token(jti=f"onrtcc:{number:032x}", **lifetime) for number in range(TOKENS)]
        self.keys = _Keys(import_keys({"keys": [self.jwk]}, SUPPORTED_ALGORITHMS)[0])

    def token(self, **changes: Any) -> str:
        return sign(claims(**{"allowed-origins": ["http://localhost:8000"], **changes}), self.algorithm, kid=KID)

    def ours(self, cache_seconds: int) -> Callable[[str], Awaitable[object]]:
        validator = TokenValidator(
            issuer=ISSUER,
            audience=AUDIENCE,
            algorithms=SUPPORTED_ALGORITHMS,
            leeway=30,
            keys=self.keys,
            contract=load_contract(),
            cache_seconds=cache_seconds,
        )
        return validator.validate

    def bare(self) -> Callable[[int], object]:
        """The floor: the signature check of `cryptography`, everything else done beforehand."""
        key: Any = self.keys._keys[KID].key.public_key
        prepared = []
        for token in self.tokens:
            signing_input, _, last = token.rpartition(".")
            signature = base64.urlsafe_b64decode(last + "==")
            if self.algorithm == "ES256":
                signature = utils.encode_dss_signature(
                    int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
                )
            prepared.append((signature, signing_input.encode()))
        arguments: tuple[Any, ...] = {
            "RS256": (padding.PKCS1v15(), hashes.SHA256()),
            "ES256": (ec.ECDSA(hashes.SHA256()),),
            "EdDSA": (),
        }[self.algorithm]
        return lambda number: key.verify(*prepared[number % TOKENS], *arguments)

    def fastmcp(self) -> Verifier:
        verifier = JWTVerifier(
            jwks_uri="https://unused.invalid/", issuer=ISSUER, audience=AUDIENCE, algorithm=self.algorithm
        )
        verifier._jwks_cache = {KID: self.keys._keys[KID].key.as_pem(private=False).decode()}
        verifier._jwks_cache_time = time.time()

        async def verify(token: str) -> object:
            if (access := await verifier.verify_token(token)) is None:
                raise PermissionError
            return access

        return verify

    def keycloak_middleware(self) -> Verifier:
        options = {"check_claims": {"iss": ISSUER, "aud": AUDIENCE}, "algs": [self.algorithm]}
        backend = KeycloakBackend(
            KeycloakConfiguration(
                url="http://unused.invalid/", realm="mcp-realm", client_id="mcp-server", validation_options=options
            )
        )
        keys = JWKSet.from_json(json.dumps({"keys": [self.jwk]}))

        async def get_key_set(_kid: object) -> JWKSet:
            return keys

        backend.key_set_cache.get_key_set = get_key_set
        return backend._validate_token

    def pyjwt(self) -> Verifier:
        key = pyjwt.PyJWK(self.jwk)
        return lambda token: pyjwt.decode(
            token, key, algorithms=[self.algorithm], audience=AUDIENCE, issuer=ISSUER, leeway=30
        )

    def authlib(self) -> Verifier:
        key, tokens = AuthlibKey.import_key(self.jwk), AuthlibToken([self.algorithm])
        options = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": AUDIENCE}}

        def verify(token: str) -> object:
            decoded = tokens.decode(token, key, claims_options=options)
            decoded.validate(leeway=30)
            return decoded

        return verify

    def joserfc(self) -> Verifier:
        keys = KeySet.import_key_set({"keys": [self.jwk]})
        registry = joserfc_jwt.JWTClaimsRegistry(
            leeway=30, iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}
        )

        def verify(token: str) -> object:
            decoded = joserfc_jwt.decode(token, keys, algorithms=[self.algorithm])
            registry.validate(decoded.claims)
            return decoded

        return verify


def rotating(verify: Verifier, tokens: list[str]) -> Any:
    """Return the operation that shows one token after the other."""
    if inspect.iscoroutinefunction(verify):

        async def operation(number: int) -> object:
            return await verify(tokens[number % len(tokens)])

        return operation
    return lambda number: verify(tokens[number % len(tokens)])


def refused(verify: Callable[[str], Awaitable[object]], token: str) -> Any:
    """Return the operation that is refused each time."""

    async def operation(_number: int) -> None:
        try:
            await verify(token)
        except TokenRefused:
            return
        raise AssertionError("the token was accepted")

    return operation


LIMIT, OURS, REPEATED, FASTMCP = "bare signature check", "ours, first sight", "ours, repeated", "FastMCP JWTVerifier"


def build() -> Iterator[tuple[Bench, dict[str, Verifier]]]:
    """Yield the verifiers to compare, algorithm by algorithm."""
    for algorithm in ALGORITHMS:
        bench = Bench(algorithm)
        yield (
            bench,
            {
                OURS: bench.ours(0),
                REPEATED: bench.ours(3600),
                FASTMCP: bench.fastmcp(),
                "fastapi-keycloak-middleware": bench.keycloak_middleware(),
                "PyJWT": bench.pyjwt(),
                "Authlib": bench.authlib(),
                "joserfc": bench.joserfc(),
            },
        )


def refusals(bench: Bench) -> Iterator[Case]:
    """Yield what a refusal costs; none may cost more than a good token."""
    verify = bench.ours(30)
    head, body, signature = bench.tokens[0].split(".")
    garbage = {
        "a bad signature": f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        "expired": bench.token(exp=1),
        "wrong audience": bench.token(aud="account"),
        "unknown key": sign(claims(), bench.algorithm, kid="unknown"),
        "alg none": sign(claims(), bench.algorithm, alg="none"),
        "8 KB of one letter": "a" * 8192,
        "8 KB, three segments": f"{'a' * 2000}.{'a' * 4000}.{'a' * 2000}",
        "8 KB of brackets": f"{head}.{'W1tb' * 1900}.{signature}",
        "64 KB": "a" * 65536,
    }
    for name, token in garbage.items():
        yield Case(f"{bench.algorithm} refused", name, refused(verify, token))
