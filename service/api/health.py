"""Is it alive, is it ready, which version is it: public, for whatever watches the process."""

from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service import __version__
from service.auth.token import KeySource

HEALTH_PATHS: Final = ("/livez", "/readyz", "/version")
RETRY_AFTER_SECONDS: Final = 5

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """State of the process."""

    status: Literal["ok", "unavailable"]
    reason: str | None = Field(None, description="Why not, when it is not.")


class Version(BaseModel):
    """What runs here."""

    name: str
    version: str


@router.get("/livez", response_model_exclude_none=True)
async def livez(response: Response) -> Health:
    """Whether the process answers; a failure means restart it."""
    response.headers["Cache-Control"] = "no-store"
    return Health(status="ok", reason=None)


@router.get("/readyz", response_model_exclude_none=True, responses={503: {"model": Health}})
async def readyz(request: Request, response: Response) -> Health:
    """Whether tokens can be judged: signing keys are at hand. A failure means send requests elsewhere."""
    keys: KeySource = request.app.state.keys
    response.headers["Cache-Control"] = "no-store"
    if keys.ready:
        return Health(status="ok", reason=None)
    response.status_code = 503
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Health(status="unavailable", reason="no signing keys of the authorization server yet")


@router.get("/version")
async def version() -> Version:
    """Name and version of the service."""
    return Version(name="secure-mcp", version=__version__)
