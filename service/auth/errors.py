"""Why a token is refused: a closed list of reasons, each with a fixed text that is safe to show.

Exception texts of libraries, expected values and key ids never leave the service (RFC 8725 section 2).
"""

from typing import Final

REASONS: Final = {
    "token_too_large": "The access token is too large",
    "malformed_token": "The access token is malformed",
    "wrong_algorithm": "The access token is signed with an algorithm that is not accepted",
    "unknown_key": "The access token is signed with an unknown key",
    "bad_signature": "The signature of the access token is not valid",
    "malformed_claims": "A claim of the access token is malformed",
    "wrong_type": "This is not an access token",
    "wrong_issuer": "The access token was issued by another authorization server",
    "wrong_audience": "The access token was not issued for this resource",
    "expired": "The access token has expired",
    "not_yet_valid": "The access token is not valid yet",
    "lifetime_too_long": "The lifetime of the access token is longer than accepted",
    "revoked": "The session of the access token has ended",
    "sender_constrained": "The access token is bound to a key whose proof was not presented",
    "client_not_allowed": "The client of the access token may not call this resource",
}


class TokenRefused(Exception):
    """The token is no valid access token for this resource (RFC 6750 section 3.1, `invalid_token`).

    Args:
        reason: a key of `REASONS`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.description = REASONS[reason]


class KeysUnavailable(Exception):
    """No key can be had now, so nothing can be said of the token: 503, never 401.

    Args:
        retry_after: seconds after which another try makes sense.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("the keys of the authorization server are not available")
        self.retry_after = retry_after
