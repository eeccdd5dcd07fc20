"""Tells somebody else what an audit found: a POST with a signature, by the Standard Webhooks specification 1.0.

Three headers: `webhook-id` (the same for a repetition), `webhook-timestamp` (seconds) and `webhook-signature`, which is
`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. The receiver refuses a timestamp older than five minutes.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from ops.errors import OperatorError, unreachable
from ops.secrets import read_secret
from ops.trust import tls_context

_PREFIX = "whsec_"
_SHORTEST = 24  # bytes, as the specification asks
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def read_key(file: Path) -> bytes:
    """Return the key of a secret file: `whsec_` and base64 of at least 24 bytes.

    Raises:
        OperatorError: the file is missing, open to others, or holds something else (exit code 2).
    """
    text = read_secret(file.parent, file.name).removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) < _SHORTEST:
        raise OperatorError(
            f"{file} holds no webhook secret.",
            f"Make one: (umask 377; echo whsec_$(openssl rand -base64 32) > {file})",
        )
    return key


def signature(key: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")


def check_url(url: str) -> str:
    """Return the URL of a receiver.

    Raises:
        OperatorError: it is not https, and not on this machine (exit code 2).
    """
    parts = urlsplit(url)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        return url
    raise OperatorError(f"{url} is no https URL.", "What was found is for nobody else: write https://host/path.")


def notify(url: str, key: bytes, body: bytes) -> None:
    """Send a report.

    Args:
        url: the receiver.
        key: see `read_key`.
        body: JSON.

    Raises:
        OperatorError: the receiver does not answer or refuses (exit code 3).
    """
    identifier = f"msg_{secrets.token_hex(16)}"
    timestamp = int(time.time())
    headers = {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(key, identifier, timestamp, body),
    }
    step = "Look at the receiver; the report is printed here all the same."
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False, verify=tls_context())
    except httpx.TransportError as error:
        raise unreachable(f"The receiver {url} does not answer: {error}.", step) from error
    if not answer.is_success:
        raise unreachable(f"The receiver {url} answers {answer.status_code}.", step)
