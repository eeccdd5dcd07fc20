"""Is it alive, is it ready, which version is it: public, for whatever watches the process."""

from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service import __version__
from service.auth.agreement import Agreement
from service.auth.token import KeySource

HEALTH_PATHS: Final = ("/livez", "/readyz", "/version")
RETRY_AFTER_SECONDS: Final = 5

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """State of the process."""

    status: Literal["ok", "unavailable"]
    reason: str | None = Field(None, description="Why not, when it is not.")
    disagreements: list[str] | None = Field(
        None,
        description="What does not fit together in issuer, Keycloak's metadata and access contract, and what to do.",
    )


class Version(BaseModel):
    """What runs here."""

    name: str
    version: str


@router.get("/livez", response_model_exclude_none=True)
async def livez(response: Response) -> Health:
    """Whether the process answers; a failure means restart it."""
    response.headers["Cache-Control"] = "no-store"
    return Health(status="ok", reason=None, disagreements=None)


@router.get("/readyz", response_model_exclude_none=True, responses={503: {"model": Health}})
async def readyz(request: Request, response: Response) -> Health:
    """Whether tokens can be judged: signing keys are at hand. A failure means send requests elsewhere.

    What the service found out about its realm is said here, too, and makes no difference to that: with another issuer
    there are no keys, and everything else fails for some clients only.
    """
    keys: KeySource = request.app.state.keys
    agreement: Agreement = request.app.state.agreement
    found = list(agreement.found) or None
    response.headers["Cache-Control"] = "no-store"
    if keys.ready:
        return Health(status="ok", reason=None, disagreements=found)
    response.status_code = 503
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    reason = "no signing keys of the authorization server yet"
    return Health(status="unavailable", reason=reason, disagreements=found)


@router.get("/version")
async def version() -> Version:
    """Name and version of the service."""
    return Version(name="secure-mcp", version=__version__)
