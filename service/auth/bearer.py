"""The access token of a request: from the Authorization header and from nowhere else (RFC 6750 section 2.1)."""

import string
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Scope

from service.auth.challenge import Challenges

# RFC 6750 section 2.1: what a token consists of, apart from `=` at its end.
_TOKEN: Final = (string.ascii_letters + string.digits + "-._~+/").encode()
FORM: Final = b"application/x-www-form-urlencoded"


def bearer_token(scope: Scope, challenges: Challenges) -> str:
    """Return the token as it was sent, not yet judged.

    Args:
        scope: the ASGI scope of an HTTP request.
        challenges: makes the refusals.

    Raises:
        Refusal: there is no bearer token, more than one, or one that RFC 6750 does not allow.
    """
    headers: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(headers) > 1:
        raise challenges.invalid_request("several_credentials", "Send exactly one Authorization header")
    if not headers:
        raise challenges.no_credentials("no_credentials")
    scheme, _, token = headers[0].partition(b" ")  # RFC 9110 section 11.1: one space
    if scheme.lower() != b"bearer":
        raise challenges.no_credentials("other_scheme")
    if carries_token(scope["query_string"]):
        raise challenges.invalid_request("several_credentials", "Send the token in the Authorization header only")
    bare = token.rstrip(b"=")
    if not bare or bare.translate(None, _TOKEN):
        raise challenges.invalid_token("malformed_credentials", "The Authorization header is malformed")
    return token.decode("ascii")


def carries_token(form: bytes) -> bool:
    """Whether a query or a form body has the parameter `access_token` (RFC 6750 sections 2.2 and 2.3)."""
    if b"access_token" not in form and b"%" not in form:
        return False
    try:
        fields = parse_qsl(form.decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return True
    return any(name == "access_token" for name, _ in fields)
