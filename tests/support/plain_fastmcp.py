"""An MCP server as FastMCP's own documentation shows it behind Keycloak: the provider with its defaults.

python plain_fastmcp.py PORT ISSUER [AUDIENCE]
"""

import sys

from fastmcp import FastMCP
from fastmcp.server.auth.providers.keycloak import KeycloakAuthProvider


def main(port: str, issuer: str, audience: str | None = None) -> None:
    provider = KeycloakAuthProvider(realm_url=issuer, base_url=f"http://localhost:{port}", audience=audience)
    server = FastMCP("plain", auth=provider)

    @server.tool
    def greet() -> str:
        return "hello"

    server.run(transport="http", host="127.0.0.1", port=int(port), show_banner=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
