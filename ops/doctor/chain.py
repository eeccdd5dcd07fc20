"""What one hop leaves for the next: the documents that were read, and what was found."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ops.challenge import Challenge
from ops.doctor.faults import FAULTS
from ops.doctor.fetch import Answer, Fetcher, origin_of
from ops.findings.model import Finding


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator asked for beside the URL.

    Args:
        token: access token to try; empty for none.
        origin: origin of the browser page that plays the client; empty means the server's own.
        register: whether the dry run of a registration is made.
    """

    token: str = ""
    origin: str = ""
    register: bool = True


@dataclass(slots=True)
class Hop:
    """One line of the report.

    Args:
        name: what was looked at.
        seen: what was seen there, one line.
        findings: what was wrong.
        looked: False where there was nothing to look at; `seen` says why.
    """

    name: str
    seen: str = ""
    findings: list[Finding] = field(default_factory=list)
    looked: bool = True

    def fault(self, name: str, seen: str) -> None:
        """Add a finding of this hop.

        Args:
            name: id of a fault.
            seen: the particulars.
        """
        self.findings.append(FAULTS[name].find(self.name, seen=plain(seen)))

    def skip(self, why: str) -> "Hop":
        """Say that there was nothing to look at."""
        self.seen, self.looked = why, False
        return self


@dataclass(slots=True)
class Chain:
    """The way as far as it is known.

    Args:
        url: the MCP endpoint; after a redirect the place where it ends.
        fetcher: sends the requests.
        trust: the certificates that are trusted.
        wishes: what the operator asked for.
        given: the URL as the operator gave it.
    """

    url: str
    fetcher: Fetcher
    trust: ssl.SSLContext
    wishes: Wishes
    given: str
    bare: Answer | None = None  # the answer to a request without a token
    challenge: Challenge | None = None
    resource: Mapping[str, Any] = field(default_factory=dict)  # protected resource metadata
    issuer: str = ""
    server: Mapping[str, Any] = field(default_factory=dict)  # authorization server metadata
    server_answer: Answer | None = None
    keys: list[Mapping[str, Any]] = field(default_factory=list)
    facts: set[str] = field(default_factory=set)  # what known.py tells clients' problems by
    issued: float | None = None  # when the token was issued, by the authorization server's clock
    reached: bool = False  # whether anything answered over HTTP

    @property
    def origin(self) -> str:
        """Origin of the MCP endpoint."""
        return origin_of(urlsplit(self.url))

    @property
    def path(self) -> str:
        """Path of the MCP endpoint without a slash at its end; empty for the root."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def asked_scopes(self) -> list[str]:
        """Scopes that a client asks for at first: the challenge's, else the metadata's."""
        if self.challenge and self.challenge.scope:
            return self.challenge.scope.split()
        return words(self.resource.get("scopes_supported"))


def words(value: object) -> list[str]:
    """Return the texts of a JSON array; nothing where it is none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def plain(text: str, limit: int = 300) -> str:
    """Return foreign text as one bounded line that cannot steer a terminal."""
    clean = "".join(char if char.isprintable() else "?" for char in text)
    return clean if len(clean) <= limit else f"{clean[:limit]}…"
