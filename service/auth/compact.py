"""JWS compact serialisation (RFC 7515 section 7.1), read strictly and before any cryptography.

joserfc verifies signatures; the parsing is ours because the library takes more than the standards allow: UTF-16,
duplicate names, non-canonical base64url, unknown members (measured, docs/security-model.md).
"""

import binascii
from collections.abc import Set
from typing import Any, Final

from service.auth import strict_json
from service.auth.errors import TokenRefused

MAX_TOKEN_CHARACTERS: Final = 8192
MAX_HEADER_CHARACTERS: Final = 1024
MAX_DEPTH: Final = 16

# base64url to base64; the characters which only base64 has, and padding, become one that no base64 has.
_ALPHABET: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING: Final = {0: b"", 2: b"==", 3: b"="}
# RFC 4648 section 3.5: the unused bits of the last character are zero, so each value has one spelling.
_LAST: Final = {2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
_HEADER_MEMBERS: Final = frozenset({"alg", "kid", "typ"})
# RFC 8725bis: a type without a slash stands for application/ and that type; case does not matter.
ACCESS_TOKEN_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})


def encode(token: str) -> bytes:
    """Return the token as bytes when it may be one by its size and its first segment; costs next to nothing.

    Args:
        token: the value after `Bearer `.

    Raises:
        TokenRefused: it is too large, is no ASCII, or has no header of a fitting length.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise TokenRefused("token_too_large")
    if not token.isascii() or token.find(".", 0, MAX_HEADER_CHARACTERS + 1) < 1:
        raise TokenRefused("malformed_token")
    return token.encode("ascii")


def split(token: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return header, payload, signature, all still encoded, and the JWS signing input; nothing is verified yet.

    Raises:
        TokenRefused: it has not exactly three segments with something in them.
    """
    segments = token.split(b".", 3)
    if len(segments) != 3 or not all(segments):
        raise TokenRefused("malformed_token")
    header, payload, signature = segments
    return header, payload, signature, token[: -1 - len(signature)]


def parse_header(segment: bytes, types: Set[str]) -> tuple[str, str]:
    """Return `alg` and `kid` of a JOSE header (RFC 7515 section 4).

    Args:
        segment: the encoded header.
        types: allowed values of `typ`, in lower case.

    Raises:
        TokenRefused: it is malformed, of another type or names no key.

    Only `alg`, `kid` and `typ` may stand there: `crit`, `jku`, `x5u`, `jwk`, `zip` and what nobody knows are refused.
    """
    header = parse_object(decode_segment(segment), "malformed_token")
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(algorithm, str):
        raise TokenRefused("malformed_token")
    if not header.keys() <= _HEADER_MEMBERS:
        raise TokenRefused("malformed_token")
    if not isinstance(kind, str) or kind.lower() not in types:
        raise TokenRefused("wrong_type")
    if not isinstance(kid, str) or not 0 < len(kid) <= 200:
        raise TokenRefused("unknown_key")
    return algorithm, kid


def decode_segment(segment: bytes) -> bytes:
    """Decode base64url without padding (RFC 7515 section 2); a second spelling of the same bytes is refused."""
    rest = len(segment) % 4
    if rest == 1 or (rest and segment[-1] not in _LAST[rest]):
        raise TokenRefused("malformed_token")
    try:
        return binascii.a2b_base64(segment.translate(_ALPHABET) + _PADDING[rest], strict_mode=True)
    except binascii.Error as error:
        raise TokenRefused("malformed_token") from error


def parse_object(data: bytes, reason: str) -> dict[str, Any]:
    """Parse a JSON object (RFC 8259): UTF-8 without a byte order mark, no name twice, finite numbers, bounded depth.

    Args:
        data: the bytes.
        reason: the reason of the refusal.

    Raises:
        TokenRefused: with that reason.
    """
    try:
        value = strict_json.parse(data, MAX_DEPTH)
    except strict_json.JsonFault as error:
        raise TokenRefused(reason) from error
    if not isinstance(value, dict):
        raise TokenRefused(reason)
    return value
