"""FastAPI dependencies for authors of routes: who calls, and what they must hold.

@router.get("/report")
async def report(caller: CurrentCaller) -> ...:

@router.post("/report", dependencies=[Depends(require_scopes("mcp:write"))])
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from service.auth.challenge import Challenges
from service.auth.token import Caller
from service.context import current_caller


async def _caller() -> Caller:
    return current_caller()


CurrentCaller = Annotated[Caller, Depends(_caller)]


def require_scopes(*scopes: str) -> Callable[[Request, Caller], Awaitable[Caller]]:
    """Return a dependency that refuses with 403 and a challenge who does not hold all these scopes.

    Args:
        scopes: scopes of access.yaml; one that implies another stands for it.
    """

    async def check(request: Request, caller: CurrentCaller) -> Caller:
        if not caller.scopes.issuperset(scopes):
            challenges: Challenges = request.app.state.challenges
            raise challenges.insufficient_scope(scopes)
        return caller

    return check
