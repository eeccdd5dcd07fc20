"""Logout tokens (OpenID Connect Back-Channel Logout 1.0 sections 2.4 to 2.6), judged as strictly as access tokens."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.auth.claims import identifier_or_none, number
from service.auth.compact import decode_segment, encode, parse_object
from service.auth.errors import TokenRefused
from service.auth.jws import JwsVerifier, KeySource

LOGOUT_TOKEN_TYPES: Final = frozenset({"logout+jwt", "application/logout+jwt", "jwt"})
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
MAX_LIFETIME: Final = 600


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """What ended: the session `session_id`, or everything of the person `subject` when there is no session.

    `issued_at` is in seconds since the epoch.
    """

    session_id: str | None
    subject: str | None
    issued_at: int


class LogoutTokenValidator:
    """Judges logout tokens.

    Args:
        issuer: the exact `iss`.
        clients: client ids; `aud` must name one of them, for the authorization server tells every client of a session.
        algorithms: allowed values of `alg`.
        leeway: seconds by which the clocks may differ.
        keys: where verification keys come from.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        issuer: str,
        clients: frozenset[str],
        algorithms: Sequence[str],
        leeway: int,
        keys: KeySource,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._clients = clients
        self._leeway = leeway
        self._clock = clock
        self._jws = JwsVerifier(keys, algorithms, LOGOUT_TOKEN_TYPES)

    async def validate(self, token: str) -> LogoutToken:
        """Return what the token ends.

        Args:
            token: value of the form field `logout_token`.

        Raises:
            TokenRefused: it is no valid logout token for a client of this service.
            KeysUnavailable: the keys cannot be had now.
        """
        payload = await self._jws.verify(encode(token))
        claims = parse_object(decode_segment(payload), "malformed_claims")
        # Section 2.6: events says that this is a logout token, nonce says that it is an ID token.
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict) or "nonce" in claims:
            raise TokenRefused("wrong_type")
        if claims.get("typ", "Logout") != "Logout":
            raise TokenRefused("wrong_type")
        if claims.get("iss") != self._issuer:
            raise TokenRefused("wrong_issuer")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(entry, str) and entry in self._clients for entry in audiences):
            raise TokenRefused("wrong_audience")
        issued_at = self._check_time(claims)
        session_id, subject = identifier_or_none(claims.get("sid")), identifier_or_none(claims.get("sub"))
        if session_id is None and subject is None:
            raise TokenRefused("malformed_claims")
        return LogoutToken(session_id, subject, issued_at)

    def _check_time(self, claims: dict[str, Any]) -> int:
        now, issued_at, expires_at = self._clock(), number(claims.get("iat")), number(claims.get("exp"))
        if now >= expires_at + self._leeway:
            raise TokenRefused("expired")
        if issued_at > now + self._leeway:
            raise TokenRefused("not_yet_valid")
        if expires_at - issued_at > MAX_LIFETIME:
            raise TokenRefused("lifetime_too_long")
        return int(issued_at)
