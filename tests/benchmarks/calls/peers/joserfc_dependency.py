"""FastAPI with a plain dependency."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc.errors import JoseError
from pydantic import BaseModel

from tests.benchmarks.calls.peers.judge import Judge


class _Echo(BaseModel):
    text: str


def fastapi_joserfc() -> Any:
    """FastAPI with the dependency that most people write, async and by joserfc."""
    app, judge, scheme = FastAPI(), Judge(), HTTPBearer()

    async def claims(credentials: Annotated[HTTPAuthorizationCredentials, Depends(scheme)]) -> dict[str, Any]:
        try:
            return judge.judge(credentials.credentials)
        except (JoseError, ValueError) as error:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from error

    @app.post("/api/v1/tools/echo", dependencies=[Depends(claims)])
    async def echo(body: _Echo) -> dict[str, str]:
        return {"tool": "echo", "result": body.text}

    return app
