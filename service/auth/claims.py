"""Single claims (RFC 7519 section 4): what shape each may have."""

from typing import Final, TypeGuard

from service.auth.errors import TokenRefused

# Seconds since the epoch that a date can have: up to the year 5138.
_MAX_TIME: Final = 1e11


def number(value: object) -> float:
    """Return a NumericDate (RFC 7519 section 2).

    Raises:
        TokenRefused: `malformed_claims`; it is missing, no number or no date.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and -_MAX_TIME < value < _MAX_TIME:
        return value
    raise TokenRefused("malformed_claims")


def is_identifier(value: object) -> TypeGuard[str]:
    """Whether the value is 1 to 255 visible ASCII characters (OpenID Connect Core section 2, `sub`)."""
    return (
        isinstance(value, str) and 0 < len(value) < 256 and value.isascii() and value.isprintable() and " " not in value
    )


def identifier_or_none(value: object) -> str | None:
    """Return an identifier; anything else counts as absent."""
    return value if is_identifier(value) else None


def text_or_none(value: object) -> str | None:
    """Return a name for display; one that could forge a log line counts as absent."""
    return value if isinstance(value, str) and len(value) <= 255 and value.isprintable() else None
