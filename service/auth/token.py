"""Access tokens of Keycloak: signature and claims (RFC 7519, RFC 8725, RFC 9068), read into a `Caller`."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from service.auth.claims import identifier_or_none, is_identifier, number, text_or_none
from service.auth.compact import ACCESS_TOKEN_TYPES, decode_segment, encode, parse_object
from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.jws import JwsVerifier, KeySource
from service.auth.revocation import Revocations
from service.auth.verified import VerifiedTokens
from service.contract import Contract
from service.telemetry.traces import child_span

__all__ = ["Caller", "KeySource", "KeysUnavailable", "TokenRefused", "TokenValidator"]

_MAX_SCOPES: Final = 64
# Keycloak reads the clock once for iat and again for exp, so a token may live a little longer than is declared.
CLOCK_READS_SECONDS: Final = 5


class Caller(NamedTuple):
    """Who calls, as the authorization server says it. Scopes alone are rights here: the realm's roles are not read.

    `scopes` are the granted scopes with all that they imply by the contract, `token_scopes` as they stand in the token.
    `issued_at` and `expires_at` are in seconds since the epoch.
    """

    subject: str
    client_id: str
    issuer: str
    scopes: frozenset[str]
    token_scopes: frozenset[str]
    issued_at: int
    expires_at: int
    session_id: str | None = None
    username: str | None = None


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
        revocations: what ended before its time; judged on every call, also for remembered tokens.
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
        revocations: Revocations | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._jws = JwsVerifier(keys, algorithms, ACCESS_TOKEN_TYPES)
        self._leeway = leeway
        self._keys = keys
        self._contract = contract
        self._allowed_clients = allowed_clients
        self._max_lifetime = max_lifetime
        self._verified: VerifiedTokens[Caller] = VerifiedTokens(cache_seconds)
        self._scopes: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        self._revocations = revocations
        self._epoch = keys.epoch
        self._clock = clock
        self.hits = self.misses = 0
        """How many tokens were remembered, and how many were judged anew."""

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
        now = self._clock()
        raw = encode(token)
        digest = hashlib.sha256(raw).digest()
        caller = self._verified.get(digest, now)
        if caller is not None:
            self.hits += 1
        else:
            self.misses += 1
            with child_span("validate token"):
                caller = self._caller(await self._jws.verify(raw), now)
            self._verified.put(digest, caller, now, caller.expires_at)
        if self._revocations and self._revocations.cover(caller.session_id, caller.subject, caller.issued_at):
            raise TokenRefused("revoked")
        return caller

    def _caller(self, payload: bytes, now: float) -> Caller:
        claims = parse_object(decode_segment(payload), "malformed_claims")
        if claims.get("typ") != "Bearer":
            raise TokenRefused("wrong_type")
        if claims.get("iss") != self._issuer:
            raise TokenRefused("wrong_issuer")
        self._check_audience(claims.get("aud"))
        if "cnf" in claims:
            raise TokenRefused("sender_constrained")
        issued_at, expires_at = self._check_time(claims, now)
        subject, client_id = claims.get("sub"), claims.get("azp", claims.get("client_id"))
        if not is_identifier(subject) or not is_identifier(client_id):
            raise TokenRefused("malformed_claims")
        session_id = identifier_or_none(claims.get("sid"))
        if self._allowed_clients and client_id not in self._allowed_clients:
            raise TokenRefused("client_not_allowed")
        if session_id is None and client_id not in self._contract.clients:
            # No session, so no person who consented: a service account must be declared, not registered by a stranger.
            raise TokenRefused("client_not_allowed")
        token_scopes, scopes = self._scopes_of(claims.get("scope", ""))
        # By position, in the order of the fields: half the cost.
        return Caller(
            subject,
            client_id,
            self._issuer,
            scopes,
            token_scopes,
            issued_at,
            expires_at,
            session_id,
            text_or_none(claims.get("preferred_username")),
        )

    def _scopes_of(self, scope: object) -> tuple[frozenset[str], frozenset[str]]:
        """Return the scopes as granted and with what they imply; the same few strings come again and again."""
        if not isinstance(scope, str):
            raise TokenRefused("malformed_claims")
        if known := self._scopes.get(scope):
            return known
        token_scopes = frozenset(scope.split(" ")) - {""}  # RFC 6749 section 3.3: U+0020 and nothing else separates
        scopes = token_scopes, self._contract.expand(token_scopes)
        if len(self._scopes) < _MAX_SCOPES:
            self._scopes[scope] = scopes
        return scopes

    def _check_audience(self, audience: object) -> None:
        if isinstance(audience, str):
            audience = [audience]
        if not isinstance(audience, list) or self._audience not in audience or set(map(type, audience)) != {str}:
            raise TokenRefused("wrong_audience")

    def _check_time(self, claims: Mapping[str, Any], now: float) -> tuple[int, int]:
        """RFC 7519 sections 4.1.4 to 4.1.6: exp and iat are required here, nbf is judged when it is there."""
        expires_at, issued_at = number(claims.get("exp")), number(claims.get("iat"))
        if now >= expires_at + self._leeway:
            raise TokenRefused("expired")
        if issued_at > now + self._leeway or ("nbf" in claims and number(claims["nbf"]) > now + self._leeway):
            raise TokenRefused("not_yet_valid")
        if expires_at - issued_at > self._max_lifetime:
            raise TokenRefused("lifetime_too_long")
        return int(issued_at), int(expires_at)
