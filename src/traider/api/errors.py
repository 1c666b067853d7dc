"""Errors of the API: every one is a status and one sentence, as ``{"detail": "..."}``."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from structlog import get_logger

from traider.domain.errors import LinkError, StoreError

from .schemas import ErrorOut

log = get_logger("traider.api")

_MEANING = {
    401: "not logged in, or the session has ended",
    403: "the role does not allow it, or the X-Requested-With header is missing",
    404: "there is no such thing",
    422: "the request is not valid",
    429: "too many attempts; Retry-After says how many seconds to wait",
    503: "the guard or the store does not answer",
}


class ApiError(HTTPException):
    """An answer that is not a success: a status and one sentence for a person."""


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the errors that a route may answer."""
    return {status: {"model": ErrorOut, "description": _MEANING[status]} for status in statuses}


def error_response(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)


async def _http_error(request: Request, error: HTTPException) -> JSONResponse:
    return error_response(error.status_code, str(error.detail), dict(error.headers or {}))


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    problems = (f"{'.'.join(str(part) for part in problem['loc'][1:]) or 'body'}: {problem['msg']}" for problem in error.errors())
    return error_response(422, "; ".join(problems))


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", path=request.url.path, error=str(error))
    return error_response(503, str(error))


async def _internal(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises it again after this, so the server logs the traceback.
    return error_response(500, "internal error: the log says more")


def install(app: FastAPI) -> None:
    """Makes every error of the app answer as ``ErrorOut``."""
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(LinkError)(_unavailable)
    app.exception_handler(StoreError)(_unavailable)
    app.exception_handler(Exception)(_internal)
