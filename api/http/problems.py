"""Exception handlers: every error becomes an RFC 9457 `application/problem+json` response."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from api.core.errors import (
    CatalogUnavailableError,
    DiskFullError,
    ModelCacheUnavailableError,
    Problem,
    ProblemError,
    StorageUnavailableError,
    internal_error,
    problem_document,
    status_title,
)
from api.http.headers import DEFAULT_HEADERS, REQUEST_ID
from api.storage.db import UNAVAILABLE
from api.storage.failures import ModelCacheError, StoreError, is_disk_full

MEDIA_TYPE = "application/problem+json"
_DETAILS = {
    400: "The request cannot be read: {reason}",
    404: "There is nothing at this path. GET / lists what there is; no path ends in a slash or has "
    "two in a row.",
    405: "This path does not take that method. GET /docs shows what each takes.",
}
# Why a body cannot be read as JSON, by Python's exception; FastAPI's message does not say.
_UNREADABLE: dict[type[BaseException | None], str] = {
    RecursionError: "Its JSON is nested too deeply.",
    UnicodeDecodeError: "Its JSON is not in UTF-8.",
    ValueError: "Its JSON has a number with too many digits.",
}
_PROBLEM_SCHEMA = Problem.model_json_schema()
log = logging.getLogger(__name__)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` argument of an endpoint that may answer with these errors, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": _PROBLEM_SCHEMA}}
    return {
        status: {"description": status_title(status), "content": content} for status in statuses
    }


def problem_response(
    error: ProblemError, headers: Mapping[str, str] = MappingProxyType({})
) -> JSONResponse:
    """`error` as a problem document, with `headers` and those that the error asks for."""
    all_headers = dict(headers)
    if error.retry_after_seconds is not None:
        all_headers["Retry-After"] = str(error.retry_after_seconds)
    if error.closes:
        all_headers["Connection"] = "close"
    return _response(problem_document(error.status, error.code, error.detail), all_headers)


def _response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = {**problem.model_dump(), "request_id": correlation_id.get()}
    return JSONResponse(body, problem.status, headers, media_type=MEDIA_TYPE)


async def _problem_error(_request: Request, error: ProblemError) -> JSONResponse:
    return problem_response(error)


async def _database_unavailable(request: Request, error: Exception) -> JSONResponse:
    if is_disk_full(error):
        return _disk_full(request, error)
    # %r escapes control characters: a path must not add lines to the log.
    log.warning("%s %r: the catalog is unavailable: %s", request.method, request.url.path, error)
    return problem_response(CatalogUnavailableError())


async def _store_error(request: Request, error: StoreError) -> JSONResponse:
    log.warning("%s %r: %s", request.method, request.url.path, error)
    return problem_response(StorageUnavailableError())


async def _model_cache_error(request: Request, error: ModelCacheError) -> JSONResponse:
    if is_disk_full(error):
        return _disk_full(request, error)
    log.error("%s %r: %s", request.method, request.url.path, error)
    return problem_response(ModelCacheUnavailableError())


async def _os_error(request: Request, error: OSError) -> JSONResponse:
    """A full disk; any other is an internal error."""
    if is_disk_full(error):
        return _disk_full(request, error)
    return await _internal_error(request, error)


def _disk_full(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %r: no disk space is left: %s", request.method, request.url.path, error)
    return problem_response(DiskFullError())


async def _validation_error(_request: Request, error: RequestValidationError) -> JSONResponse:
    faults = "; ".join(map(_fault, error.errors()))
    return _response(problem_document(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", faults))


def _fault(fault: Mapping[str, Any]) -> str:
    """One fault that pydantic or FastAPI found, in words."""
    if fault["type"] == "json_invalid":
        reason, place = fault["ctx"]["error"], fault["loc"][-1]
        return f"The body is not JSON: {reason}, at character {place}."
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"


async def _http_exception(request: Request, error: HTTPException) -> JSONResponse:
    # FastAPI wraps errors raised by reading a body.
    if isinstance(error.__cause__, ProblemError):
        return problem_response(error.__cause__)
    if isinstance(error.__cause__, OSError) and is_disk_full(error.__cause__):
        return _disk_full(request, error.__cause__)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    code = status_title(error.status_code).lower().replace(" ", "-")
    reason = _UNREADABLE.get(type(error.__cause__), error.detail)
    detail = _DETAILS.get(error.status_code, "{reason}").format(reason=reason)
    return _response(problem_document(error.status_code, code, detail), headers)


def _allowed_methods(request: Request) -> list[str]:
    """Methods of all routes at this path. Starlette names only those of the first."""
    found = [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]
    return [*found, "HEAD"] if "GET" in found else found


async def _client_disconnect(_request: Request, _error: Exception) -> Response:
    """Nobody will receive this response; without it, the disconnect would be logged as an error."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _internal_error(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %r failed", request.method, request.url.path, exc_info=error)
    # This response is sent outside our middleware, which sets these headers on all others.
    headers = {name.decode(): value.decode() for name, value in DEFAULT_HEADERS}
    headers[REQUEST_ID] = correlation_id.get() or ""
    return _response(internal_error(), headers)


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    ProblemError: _problem_error,
    **dict.fromkeys(UNAVAILABLE, _database_unavailable),
    StoreError: _store_error,
    ModelCacheError: _model_cache_error,
    OSError: _os_error,
    RequestValidationError: _validation_error,
    HTTPException: _http_exception,
    ClientDisconnect: _client_disconnect,
    Exception: _internal_error,
}
