"""The access token of a request: from the Authorization header and from nowhere else (RFC 6750 section 2.1)."""

import re
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Scope

from service.auth.challenge import Challenges

# RFC 6750 section 2.1, after the scheme of RFC 9110 section 11.1 and one space.
_BEARER: Final = re.compile(r"(?i:bearer) ([A-Za-z0-9._~+/-]+=*)")
FORM: Final = b"application/x-www-form-urlencoded"


def bearer_token(scope: Scope, challenges: Challenges) -> str:
    """Return the token as it was sent, not yet judged.

    Args:
        scope: the ASGI scope of an HTTP request.
        challenges: makes the refusals.

    Raises:
        Refusal: there is no bearer token, more than one, or one that RFC 6750 does not allow.
    """
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
    if len(headers) > 1:
        raise challenges.invalid_request("several_credentials", "Send exactly one Authorization header")
    if not headers:
        raise challenges.no_credentials("no_credentials")
    if headers[0].partition(" ")[0].lower() != "bearer":
        raise challenges.no_credentials("other_scheme")
    if carries_token(scope["query_string"]):
        raise challenges.invalid_request("several_credentials", "Send the token in the Authorization header only")
    match = _BEARER.fullmatch(headers[0])
    if match is None:
        raise challenges.invalid_token("malformed_credentials", "The Authorization header is malformed")
    return match[1]


def carries_token(form: bytes) -> bool:
    """Whether a query or a form body has the parameter `access_token` (RFC 6750 sections 2.2 and 2.3)."""
    if b"access_token" not in form and b"%" not in form:
        return False
    try:
        fields = parse_qsl(form.decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return True
    return any(name == "access_token" for name, _ in fields)
