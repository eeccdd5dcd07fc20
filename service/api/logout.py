"""Where Keycloak says that a session has ended (OpenID Connect Back-Channel Logout 1.0 section 2.5)."""

from typing import Final
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.logout import LogoutTokenValidator
from service.auth.revocation import Revocations, Unshared
from service.telemetry.audit import record
from service.telemetry.events import Event

LOGOUT_PATH: Final = "/backchannel-logout"
MAX_FORM_BYTES: Final = 16 * 1024
_NO_STORE: Final = {"cache-control": "no-store"}

log = structlog.get_logger(__name__)


def logout_router(validator: LogoutTokenValidator, revocations: Revocations) -> APIRouter:
    """Return the route.

    Args:
        validator: judges logout tokens; nothing else authenticates the request.
        revocations: learns what ended.
    """
    router = APIRouter()

    @router.post(LOGOUT_PATH, include_in_schema=False)
    async def backchannel_logout(request: Request) -> Response:
        def refused(status: int, reason: str, error: str, description: str) -> JSONResponse:
            record(request.scope, Event.LOGOUT_REFUSED, reason, status=status)
            return JSONResponse({"error": error, "error_description": description}, status, headers=_NO_STORE)

        token = await _logout_token(request)
        if token is None:
            wanted = "Send one logout_token as a form of at most 16 KiB"
            return refused(400, "malformed_form", "invalid_request", wanted)
        try:
            ended = await validator.validate(token)
        except TokenRefused as refusal:
            return refused(400, refusal.reason, "invalid_request", "The logout token is not valid")
        except KeysUnavailable as unavailable:
            later = "The keys are not available; try again later"
            answer = refused(503, "keys_unavailable", "temporarily_unavailable", later)
            answer.headers["retry-after"] = str(unavailable.retry_after)
            return answer
        record(request.scope, Event.SESSION_REVOKED, "session_ended", ended=ended)
        kind, value = ("sid", ended.session_id) if ended.session_id else ("sub", ended.subject)
        try:
            await revocations.revoke(kind, str(value), ended.issued_at)
        except Unshared as unshared:
            log.warning(Event.REVOCATIONS_UNSHARED, reason=str(unshared))
            later = "The other workers cannot be told before Redis is back; try again later"
            return JSONResponse(
                {"error": "temporarily_unavailable", "error_description": later}, 503, headers=_NO_STORE
            )
        return Response(status_code=200, headers=_NO_STORE)

    return router


async def _logout_token(request: Request) -> str | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=10)
    except ValueError:
        return None
    tokens = fields.get("logout_token", [])
    return tokens[0] if len(tokens) == 1 else None
