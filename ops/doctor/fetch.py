"""One bounded HTTP exchange with a server that nobody trusts: limits of time, size and address; nothing is followed."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from ops.doctor.addresses import Address, Unresolved, may_follow, resolve

MAX_BODY = 256 * 1024  # bytes; the largest honest document here, a realm's metadata, is 8 KiB
_HINT = "secure-mcp-doctor/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `problem` is empty where an HTTP answer came, and a sentence where none did."""

    url: str
    status: int = 0
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    problem: str = ""
    received: float = 0.0  # seconds since the epoch

    def json(self) -> dict[str, Any] | None:
        """Return the JSON object of a 200, or None where it is none."""
        if self.status != httpx.codes.OK or self.problem:
            return None
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def said(self) -> str:
        """Return in a few words what came: `HTTP 404`, or why nothing did."""
        return self.problem or f"HTTP {self.status}"


class Fetcher:
    """Sends requests; each is limited in time, body and address, and never follows a redirect by itself.

    Args:
        timeout_s: seconds for one request as a whole.
        trust: the certificates that are trusted.
    """

    def __init__(self, timeout_s: float, trust: ssl.SSLContext) -> None:
        self.timeout_s = timeout_s
        self.trust = trust
        self.target: list[Address] = []
        self.unverified: set[str] = set()
        self._resolved: dict[tuple[str, int], list[Address]] = {}

    async def addresses(self, parts: SplitResult) -> list[Address]:
        """Return the addresses of a URL's host, looked up once.

        Raises:
            Unresolved: it has none.
        """
        key = (parts.hostname or "", port_of(parts))
        if key not in self._resolved:
            self._resolved[key] = await resolve(*key, self.timeout_s)
        return self._resolved[key]

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        verified_only: bool = False,
    ) -> Answer:
        """Send one request and return what came.

        Args:
            method: HTTP method.
            url: absolute URL, http or https.
            headers: beside the usual ones; `Host` may be given to lie about it.
            content: body.
            verified_only: do not send where the certificate was found wrong, or in clear outside of this machine.
        """
        if (parts := split(url)) is None:
            return Answer(url, problem="it is no http or https URL")
        try:
            addresses = await self.addresses(parts)
        except Unresolved as error:
            return Answer(url, problem=f"{parts.hostname}: {error}")
        allowed = [address for address in addresses if may_follow(self.target or addresses, address)]
        if not allowed:
            return Answer(url, problem=f"it leads into an inner network ({addresses[0]}) and was not asked")
        if verified_only and not self.is_safe(parts, allowed):
            return Answer(url, problem="it was not sent: the connection is not protected")
        answer = Answer(url, problem="nothing was tried")
        for address in allowed:  # `localhost` often has an address that nobody listens on
            answer = await self._send(method, parts, address, dict(headers or {}), content)
            if answer.status or "refused" not in answer.problem:
                break
        return answer

    def is_safe(self, parts: SplitResult, addresses: list[Address]) -> bool:
        """Say whether a credential may go there: verified TLS, or http to this machine itself."""
        if parts.scheme == "https":
            return origin_of(parts) not in self.unverified
        return all(address.is_loopback for address in addresses)

    async def _send(
        self, method: str, parts: SplitResult, address: Address, headers: dict[str, str], content: bytes | None
    ) -> Answer:
        host = f"[{address}]" if address.version == 6 else str(address)
        wanted = httpx.URL(parts.geturl())
        # The name was resolved once: a second lookup could give another address than the one that was judged.
        pinned = wanted.copy_with(host=host)
        usual = {"Host": wanted.netloc.decode(), "User-Agent": _HINT, "Accept-Encoding": "identity"}
        trust: ssl.SSLContext | bool = False if origin_of(parts) in self.unverified else self.trust
        extensions = {"sni_hostname": wanted.raw_host.decode()}
        try:
            async with (
                asyncio.timeout(self.timeout_s),
                httpx.AsyncClient(verify=trust, trust_env=False, timeout=self.timeout_s) as client,
                client.stream(
                    method, pinned, headers=usual | headers, content=content, extensions=extensions
                ) as response,
            ):
                return await _read(wanted, response)
        except TimeoutError:
            problem = f"no complete answer within {self.timeout_s:g} s"
        except httpx.TimeoutException:
            problem = f"no answer within {self.timeout_s:g} s"
        except httpx.ConnectError as error:
            problem = _why_not_connected(error)
        except httpx.RemoteProtocolError as error:
            problem = f"no valid HTTP: {error}"
        except (httpx.TransportError, httpx.InvalidURL, ssl.SSLError) as error:
            problem = f"the connection broke: {error or type(error).__name__}"
        return Answer(parts.geturl(), problem=problem)


async def _read(url: httpx.URL, response: httpx.Response) -> Answer:
    """Read a bounded part of the body; a stream of events has no end and is not read."""
    body = b""
    problem = ""
    if "text/event-stream" not in response.headers.get("content-type", ""):
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BODY:
                problem = f"the body is larger than {MAX_BODY // 1024} KiB"
                break
    return Answer(str(url), response.status_code, response.headers, b"" if problem else body, problem, time.time())


def _why_not_connected(error: httpx.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {cause.verify_message}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        cause = cause.__cause__ or cause.__context__
    text = str(error)
    return "connection refused" if "refused" in text or "connection attempts failed" in text else text


def split(url: str) -> SplitResult | None:
    """Return the parts of an absolute http or https URL without user and password, or None."""
    try:
        parts = urlsplit(url)
        port_of(parts)
    except ValueError:
        return None
    strange = parts.username is not None or parts.password is not None
    return None if parts.scheme not in ("http", "https") or not parts.hostname or strange else parts


def port_of(parts: SplitResult) -> int:
    """Return the port of a URL; the scheme's own where it names none."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def origin_of(parts: SplitResult) -> str:
    """Return the origin of a URL (RFC 6454 section 4), default port left out."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = 443 if parts.scheme == "https" else 80
    port = port_of(parts)
    return f"{parts.scheme}://{host}" + ("" if port == default else f":{port}")
