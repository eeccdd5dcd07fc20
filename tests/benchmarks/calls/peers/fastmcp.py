"""FastMCP with its JWTVerifier."""

import gc
from typing import Any

from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier

from tests.benchmarks.calls.peers import AUDIENCE, ISSUER, TOOLS


def _fastmcp() -> Any:
    verifier = JWTVerifier(jwks_uri=f"{ISSUER}/certs", issuer=ISSUER, audience=AUDIENCE, algorithm="RS256")
    server: FastMCP[Any] = FastMCP("peer", auth=verifier)

    @server.tool
    async def echo(text: str) -> str:
        """Return the text unchanged."""
        return text

    for number in range(1, TOOLS):
        server.tool(echo, name=f"echo_{number}")
    return server.http_app(path="/mcp", stateless_http=True, json_response=True)


def fastmcp_stock() -> Any:
    """FastMCP with its JWTVerifier, Python's own collector settings."""
    return _fastmcp()


def fastmcp_tuned() -> Any:
    """The same with the collector settings of service/gunicorn_conf.py."""
    app = _fastmcp()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1_000)
    return app
