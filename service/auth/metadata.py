"""Protected resource metadata (RFC 9728): where clients learn which authorization server to ask, and for what."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.settings import Settings

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
MAX_AGE_SECONDS: Final = 3600


def metadata_paths(settings: Settings) -> tuple[str, str]:
    """Return the path-inserted path (RFC 9728 section 3.1) and the root path that some clients try."""
    return WELL_KNOWN + settings.mcp_path, WELL_KNOWN


def metadata_url(settings: Settings) -> str:
    """Return the URL that challenges name."""
    return settings.public_origin + metadata_paths(settings)[0]


def document(settings: Settings, first_scopes: Sequence[str]) -> dict[str, Any]:
    """Return the metadata document (RFC 9728 section 2).

    Args:
        settings: the settings.
        first_scopes: MCP authorization, Scope Minimization: `scopes_supported` is what a first call needs and not the
            catalogue, because clients ask a person's consent for all that is listed. A call that needs more says so.
    """
    return {
        "resource": settings.audience,
        "authorization_servers": [settings.issuer],
        "scopes_supported": list(first_scopes),
        "bearer_methods_supported": ["header"],
        "resource_name": "Secure MCP",
        "resource_documentation": f"{settings.public_origin}/docs",
        "introspection_endpoint": f"{settings.issuer}/protocol/openid-connect/token/introspect",
    }


def metadata_routes(settings: Settings, first_scopes: Sequence[str]) -> list[Route]:
    """Return the routes of the document; it is public, cacheable and the same under both paths."""
    content = json.dumps(document(settings, first_scopes)).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}", "ETag": etag}

    async def serve(request: Request) -> Response:
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    return [Route(path, serve, methods=["GET"]) for path in metadata_paths(settings)]
