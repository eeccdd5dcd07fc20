"""A token that is made wrong on purpose: a draft, and the small vocabulary of steps that cases.yaml changes it by.

Each step is a function of the draft and one argument; `steps.make` runs them in the order of the file.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.security.signing import hmac_signature, sign
from tests.unit.jose import encode

ABSENT = "$absent"


@dataclass(frozen=True)
class World:
    """What a case may name in curly brackets: the identifiers of this run."""

    iss: str
    aud: str
    canary: str
    origin: str = ""

    def fill(self, value: Any, more: Mapping[str, Any] | None = None) -> Any:
        """Return a value with its holes filled: {name} in a text, `$now+60` as a number, `$repeat:TEXT:N` as a text."""
        names = {**vars(self), **(more or {})}
        if isinstance(value, dict):
            return {self.fill(key, more): self.fill(entry, more) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.fill(entry, more) for entry in value]
        if not isinstance(value, str):
            return value
        if match := re.fullmatch(r"\$now([+-]\d+)?(\.\d+)?", value):
            return int(time.time()) + int(match[1] or 0) + (float(match[2]) if match[2] else 0)
        if match := re.fullmatch(r"\$repeat:(.*):(\d+)", value, re.DOTALL):
            return match[1] * int(match[2])
        if value.startswith("{") and value[1:-1] in names:  # the hole alone: keep the type
            return names[value[1:-1]]
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", str(text))
        return value


@dataclass
class Draft:
    """A good access token until a step changes it."""

    algorithm: str
    world: World
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    signing_algorithm: str = ""
    header_bytes: bytes | None = None
    payload_bytes: bytes | None = None
    hmac: tuple[str, bytes] | None = None
    encoded: dict[str, Callable[[str], str]] = field(default_factory=dict)
    change_signature: Callable[["Draft", bytes], bytes] | None = None
    text: Callable[[str], str] = str

    def __post_init__(self) -> None:
        now = int(time.time())
        self.key = self.signing_algorithm = self.algorithm
        self.header = {"alg": self.algorithm, "typ": "JWT", "kid": self.algorithm}
        self.claims = {
            "exp": now + 300,
            "iat": now,
            "jti": "onrtac:6f0b9d6a",
            "iss": self.world.iss,
            "aud": [self.world.aud, "mcp-server"],
            "sub": "f3a1c0de-0000-4000-8000-000000000001",
            "typ": "Bearer",
            "azp": "mcp-automation",
            "sid": "5a6b",
            "scope": "mcp:read",
            "realm_access": {"roles": ["mcp-user"]},
            "preferred_username": "service-account-mcp-automation",
        }

    def header_json(self) -> bytes:
        """Return the bytes of the header as they will be encoded."""
        return json.dumps(self.header).encode() if self.header_bytes is None else self.header_bytes

    def payload_json(self) -> bytes:
        """Return the bytes of the payload as they will be encoded."""
        return json.dumps(self.claims).encode() if self.payload_bytes is None else self.payload_bytes

    def token(self) -> str:
        """Sign what the steps left and return the token."""
        same: Callable[[str], str] = str
        head = self.encoded.get("header", same)(encode(self.header_json()))
        body = self.encoded.get("payload", same)(encode(self.payload_json()))
        signing_input = f"{head}.{body}".encode()
        if self.hmac:
            signature = hmac_signature(*self.hmac, signing_input)
        else:
            signature = sign(self.key, self.signing_algorithm, signing_input)
        if self.change_signature:
            signature = self.change_signature(self, signature)
        return self.text(f"{head}.{body}." + self.encoded.get("signature", same)(encode(signature)))


Step = Callable[[Draft, Any], None]
STEPS: dict[str, Step] = {}


def step(function: Step) -> Step:
    """Add a word to the vocabulary of cases.yaml."""
    STEPS[function.__name__] = function
    return function


def decode(segment: str) -> bytes:
    """Return the bytes of a segment."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
