"""A refusal of the resource server, in words: the challenge of RFC 6750 section 3 and RFC 9728 section 5.1."""

import re
from dataclasses import dataclass

_PARAMETER = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Challenge:
    """The `WWW-Authenticate` header of a refusal, decoded. Absent parameters are empty."""

    status: int
    error: str
    description: str
    scope: str
    resource_metadata: str

    def next_step(self, tool: str) -> str:
        """Return what the caller may do about it.

        Args:
            tool: the tool that was called.
        """
        if self.status == 403:
            login = f'secure-mcp call {tool} ... --browser --scope "{self.scope}"'
            return f"The token lacks a scope: the call needs {self.scope}. Ask with a client that may have it: {login}"
        if self.status == 401 and self.error:
            return "The token is expired or not meant for this server. Get a new one: secure-mcp token"
        if self.status == 401:
            return f"No credentials came. Where to get a token stands in {self.resource_metadata}; or: secure-mcp token"
        return "The request is malformed: send one token, in one Authorization header."


def parse_challenge(status: int, header: str) -> Challenge:
    """Decode a challenge.

    Args:
        status: HTTP status of the answer.
        header: value of `WWW-Authenticate`.
    """
    found = dict(_PARAMETER.findall(header))
    names = ("error", "error_description", "scope", "resource_metadata")
    return Challenge(status, *(found.get(name, "") for name in names))
