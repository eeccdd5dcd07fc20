"""Two services that are weaker than ours: FastMCP with its own JWTVerifier, and joserfc as its manual shows.

    python -m tests.security.twins fastmcp|joserfc PORT ISSUER

Each runs in a process of its own, because in ours every warning is an error.
"""

import json
import sys
import urllib.request
from typing import Annotated, Any

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from pydantic import Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp


def fastmcp(issuer: str, audience: str) -> ASGIApp:
    """FastMCP's stock verifier with everything that it can be told; it takes one algorithm."""
    verifier = JWTVerifier(
        jwks_uri=f"{issuer}/certs", issuer=issuer, audience=audience, algorithm="RS256", required_scopes=["mcp:read"]
    )
    server: FastMCP[Any] = FastMCP("twin", auth=verifier)

    @server.tool
    async def echo(text: Annotated[str, Field()]) -> str:
        return text

    return server.http_app(path="/mcp", stateless_http=True, json_response=True)


def joserfc(issuer: str, audience: str) -> ASGIApp:
    """joserfc's decode and claims registry with an allow-list; keys that it cannot import are left out, as is fair."""
    keys = []
    with urllib.request.urlopen(f"{issuer}/certs") as answer:  # noqa: S310 - a URL of this test
        for key in json.load(answer)["keys"]:
            try:
                keys.append(JWKRegistry.import_key(key))
            except (JoseError, ValueError, KeyError, TypeError):
                continue
    key_set = KeySet(keys)
    claims = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
    )

    async def endpoint(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        try:
            found = jwt.decode(token, key_set, algorithms=["RS256", "ES256", "PS256", "EdDSA"])
            claims.validate(found.claims)
        except JoseError:
            return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if "mcp:read" not in str(found.claims.get("scope", "")).split():
            return Response(status_code=403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
        return Response("hello")

    return Starlette(routes=[Route("/mcp", endpoint, methods=["POST"])])


if __name__ == "__main__":
    name, port, issuer = sys.argv[1:]
    app = {"fastmcp": fastmcp, "joserfc": joserfc}[name](issuer, f"http://localhost:{port}/mcp")
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="critical")
