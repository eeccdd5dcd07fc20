"""Errors of the REST view: always `{"error", "error_description", "request_id"}`, never a word from inside."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.auth.challenge import Refusal, simple_refusal


class Error(BaseModel):
    """Body of every error."""

    error: str = Field(description="For programs.", examples=["insufficient_scope"])
    error_description: str = Field(
        description="For people: what to do.", examples=["This call needs the scope mcp:write"]
    )
    request_id: str = Field(description="Stands in the log, too.", examples=["0b5e1c9d7f2a4e6c8d0f1a2b3c4d5e6f"])


_HTTP_ERRORS: Mapping[int, tuple[str, str]] = {
    404: ("not_found", "There is nothing here; see /docs"),
    405: ("method_not_allowed", "This method is not allowed here; see /docs"),
}


def respond(request: Request, refusal: Refusal) -> Response:
    """Return a refusal as a response."""
    headers, body = refusal.render(request.state.request_id)
    response = Response(body, status_code=refusal.status)
    response.raw_headers = headers
    return response


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - Starlette's handlers are typed for any exception
    return respond(request, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - see above
    name, description = _HTTP_ERRORS.get(error.status_code, ("error", "The request cannot be served"))
    headers = [(key.lower().encode(), value.encode()) for key, value in (error.headers or {}).items()]
    return respond(request, simple_refusal(error.status_code, name, description, *headers))


async def _invalid(request: Request, _error: Exception) -> Response:
    return respond(request, simple_refusal(422, "invalid_arguments", "The request does not fit its schema; see /docs"))


async def _failed(request: Request, _error: Exception) -> Response:
    return respond(request, simple_refusal(500, "internal_error", "Something failed here; give support the request_id"))


def install(app: FastAPI) -> None:
    """Answer the errors of routes and of the framework in one form."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
