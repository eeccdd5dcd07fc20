"""FastAPI with fastapi-keycloak-middleware."""

import json
from typing import Any

from fastapi import FastAPI
from fastapi_keycloak_middleware import KeycloakConfiguration, KeycloakMiddleware
from fastapi_keycloak_middleware.jwks import KeySetCache
from jwcrypto.jwk import JWKSet
from pydantic import BaseModel

from tests.benchmarks.calls.peers import AUDIENCE, ISSUER, JWKS


class _Echo(BaseModel):
    text: str


def fastapi_keycloak_middleware() -> Any:
    """FastAPI with fastapi-keycloak-middleware; issuer, audience and algorithm checked."""
    keys = JWKSet.from_json(json.dumps(JWKS))

    async def get_key_set(*_: object) -> JWKSet:
        return keys

    KeySetCache.get_key_set = get_key_set  # type: ignore[method-assign,assignment]
    app = FastAPI()
    app.add_middleware(
        KeycloakMiddleware,
        keycloak_configuration=KeycloakConfiguration(
            url="http://unused.invalid/",
            realm="bench",
            client_id="mcp-server",
            validation_options={"check_claims": {"iss": ISSUER, "aud": AUDIENCE}, "algs": ["RS256"]},
        ),
    )

    @app.post("/api/v1/tools/echo")
    async def echo(body: _Echo) -> dict[str, str]:
        return {"tool": "echo", "result": body.text}

    return app
