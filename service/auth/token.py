"""Access tokens of Keycloak: signature and claims (RFC 7519, RFC 8725, RFC 9068), read into a `Caller`."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeGuard

from service.auth.compact import decode_segment, encode, parse_header, parse_object, split
from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.jwk import VerificationKey
from service.auth.verified import VerifiedTokens
from service.contract import Contract

__all__ = ["Caller", "KeySource", "KeysUnavailable", "TokenRefused", "TokenValidator"]

# OpenID Connect Core section 2: sub is at most 255 ASCII characters.
_IDENTIFIER: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


# A number of seconds since the epoch that a date can have: up to the year 5138.
_MAX_TIME: Final = 1e11
_MAX_HEADERS: Final = 64


class Caller(NamedTuple):
    """Who calls, as the authorization server says it.

    `scopes` are the granted scopes with all that they imply by the contract, `token_scopes` as they stand in the token.
    `expires_at` is in seconds since the epoch.
    """

    subject: str
    client_id: str
    issuer: str
    scopes: frozenset[str]
    token_scopes: frozenset[str]
    realm_roles: frozenset[str]
    client_roles: Mapping[str, frozenset[str]]
    expires_at: int
    session_id: str | None = None
    username: str | None = None
    token_id: str | None = None


class KeySource(Protocol):
    """Where verification keys come from."""

    @property
    def ready(self) -> bool:
        """Whether a token can be judged now."""

    @property
    def epoch(self) -> int:
        """A number that changes whenever a key comes or goes."""

    async def start(self) -> None:
        """Begin to keep the keys fresh."""

    async def stop(self) -> None:
        """Stop, and let go of connections."""

    async def key(self, kid: str) -> VerificationKey | None:
        """Return the key with this id, or None when the authorization server has none such.

        Raises:
            KeysUnavailable: nothing can be said now.
        """


class TokenValidator:
    """Judges access tokens for one resource.

    Args:
        issuer: the exact `iss`.
        audience: the canonical URL of this resource; `aud` must contain it (RFC 8707 section 2).
        algorithms: allowed values of `alg`.
        leeway: seconds by which the clocks of issuer and resource may differ; one value for exp, nbf and iat.
        keys: where verification keys come from.
        contract: says what a scope implies.
        allowed_clients: client ids that may call; empty means every client of the realm.
        max_lifetime: the longest accepted `exp - iat` in seconds.
        cache_seconds: how long a verified token is remembered, so the longest time by which a change at the
            authorization server may be noticed late; 0 remembers nothing.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str],
        leeway: int,
        keys: KeySource,
        contract: Contract,
        allowed_clients: frozenset[str] = frozenset(),
        max_lifetime: int = 3600,
        cache_seconds: int = 30,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._algorithms = frozenset(algorithms)
        self._leeway = leeway
        self._keys = keys
        self._contract = contract
        self._allowed_clients = allowed_clients
        self._max_lifetime = max_lifetime
        self._verified: VerifiedTokens[Caller] = VerifiedTokens(cache_seconds)
        self._headers: dict[bytes, VerificationKey] = {}
        self._scopes: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        self._epoch = keys.epoch
        self._clock = clock

    async def validate(self, token: str) -> Caller:
        """Return who presents this token.

        Args:
            token: a JWS in compact form.

        Raises:
            TokenRefused: it is no valid access token for this resource.
            KeysUnavailable: the keys cannot be had, so nothing can be said.
        """
        if self._epoch != self._keys.epoch:
            self._epoch = self._keys.epoch
            self._verified.clear()
            self._headers.clear()
        now = self._clock()
        raw = encode(token)
        digest = hashlib.sha256(raw).digest()
        if caller := self._verified.get(digest, now):
            return caller
        header, payload, signature, signing_input = split(raw)
        key = self._headers.get(header) or await self._key(header)
        if not key.verify(signing_input, decode_segment(signature)):
            raise TokenRefused("bad_signature")
        if len(self._headers) < _MAX_HEADERS:  # only a header that a good signature covers is remembered
            self._headers[header] = key
        caller = self._caller(payload, now)
        self._verified.put(digest, caller, now, caller.expires_at)
        return caller

    async def _key(self, header: bytes) -> VerificationKey:
        algorithm, kid = parse_header(header)
        if algorithm not in self._algorithms:
            raise TokenRefused("wrong_algorithm")
        key = await self._keys.key(kid)
        if key is None:
            raise TokenRefused("unknown_key")
        if algorithm not in key.names:
            raise TokenRefused("wrong_algorithm")
        return key

    def _caller(self, payload: bytes, now: float) -> Caller:
        claims = parse_object(decode_segment(payload), "malformed_claims")
        if claims.get("typ") != "Bearer":
            raise TokenRefused("wrong_type")
        if claims.get("iss") != self._issuer:
            raise TokenRefused("wrong_issuer")
        self._check_audience(claims.get("aud"))
        if "cnf" in claims:
            raise TokenRefused("sender_constrained")
        expires_at = self._check_time(claims, now)
        subject, client_id = claims.get("sub"), claims.get("azp", claims.get("client_id"))
        if not _is_identifier(subject) or not _is_identifier(client_id):
            raise TokenRefused("malformed_claims")
        if self._allowed_clients and client_id not in self._allowed_clients:
            raise TokenRefused("client_not_allowed")
        token_scopes, scopes = self._scopes_of(claims.get("scope", ""))
        return Caller(
            subject=subject,
            client_id=client_id,
            issuer=self._issuer,
            scopes=scopes,
            token_scopes=token_scopes,
            realm_roles=_roles(claims.get("realm_access")),
            client_roles=_client_roles(claims.get("resource_access")),
            expires_at=expires_at,
            session_id=_identifier_or_none(claims.get("sid")),
            username=_text_or_none(claims.get("preferred_username")),
            token_id=_identifier_or_none(claims.get("jti")),
        )

    def _scopes_of(self, scope: object) -> tuple[frozenset[str], frozenset[str]]:
        """Return the scopes as granted and with what they imply; the same few strings come again and again."""
        if not isinstance(scope, str):
            raise TokenRefused("malformed_claims")
        if known := self._scopes.get(scope):
            return known
        token_scopes = frozenset(scope.split(" ")) - {""}  # RFC 6749 section 3.3: U+0020 and nothing else separates
        scopes = token_scopes, self._contract.expand(token_scopes)
        if len(self._scopes) < _MAX_HEADERS:
            self._scopes[scope] = scopes
        return scopes

    def _check_audience(self, audience: object) -> None:
        audiences = [audience] if isinstance(audience, str) else audience
        if not isinstance(audiences, list) or not all(isinstance(entry, str) for entry in audiences):
            raise TokenRefused("wrong_audience")
        if self._audience not in audiences:
            raise TokenRefused("wrong_audience")

    def _check_time(self, claims: Mapping[str, Any], now: float) -> int:
        """RFC 7519 sections 4.1.4 to 4.1.6: exp and iat are required here, nbf is judged when it is there."""
        expires_at, issued_at = _time(claims.get("exp")), _time(claims.get("iat"))
        if now >= expires_at + self._leeway:
            raise TokenRefused("expired")
        if issued_at > now + self._leeway or ("nbf" in claims and _time(claims["nbf"]) > now + self._leeway):
            raise TokenRefused("not_yet_valid")
        if expires_at - issued_at > self._max_lifetime:
            raise TokenRefused("lifetime_too_long")
        return int(expires_at)


def _time(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and -_MAX_TIME < value < _MAX_TIME:
        return value
    raise TokenRefused("malformed_claims")


def _is_identifier(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None


def _identifier_or_none(value: object) -> str | None:
    return value if _is_identifier(value) else None


def _text_or_none(value: object) -> str | None:
    """A name is for display only: one that could forge a log line counts as absent."""
    return value if isinstance(value, str) and len(value) <= 255 and value.isprintable() else None


def _roles(access: object) -> frozenset[str]:
    roles = access.get("roles") if isinstance(access, dict) else None
    return frozenset(filter(_is_text, roles)) if isinstance(roles, list) else frozenset()


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _client_roles(access: object) -> Mapping[str, frozenset[str]]:
    entries = access.items() if isinstance(access, dict) else ()
    return MappingProxyType({client: _roles(entry) for client, entry in entries})
