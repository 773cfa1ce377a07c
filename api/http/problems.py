"""Rendering every error as RFC 9457 `application/problem+json`."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from api.core.errors import CatalogUnavailableError, ProblemError
from api.core.problem import Problem, internal_error, problem_document, status_title
from api.http.browser_headers import USUAL
from api.http.middleware import REQUEST_ID_HEADER
from api.storage.db import UNAVAILABLE

MEDIA_TYPE = "application/problem+json"
_DETAILS = {
    400: "The request cannot be read: {reason}",
    404: "There is nothing at this path. GET / lists what there is.",
    405: "This path does not take that method. GET /docs shows what each takes.",
}
log = logging.getLogger(__name__)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint may answer with, for its OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": status_title(status), "content": content} for status in statuses
    }


def install(app: FastAPI) -> None:
    app.add_exception_handler(ProblemError, _known)
    for away in UNAVAILABLE:
        app.add_exception_handler(away, _away)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unknown)


def problem_response(
    error: ProblemError, headers: Mapping[str, str] = MappingProxyType({})
) -> JSONResponse:
    """The problem document of `error`, with the headers that belong to it."""
    chosen = dict(headers)
    if error.retry_after_seconds is not None:
        chosen["Retry-After"] = str(error.retry_after_seconds)
    if error.closes:
        chosen["Connection"] = "close"
    return _response(problem_document(error.status, error.code, error.detail), chosen)


def _response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = {**problem.model_dump(), "request_id": correlation_id.get()}
    return JSONResponse(body, problem.status, headers, media_type=MEDIA_TYPE)


async def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101  (registered for it)
    return problem_response(error)


async def _away(request: Request, error: Exception) -> JSONResponse:
    # With its control characters written out: a path must not add lines to the log.
    log.warning("%s %r: the catalog is away: %s", request.method, request.url.path, error)
    return await _known(request, CatalogUnavailableError())


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors()
    )
    return _response(problem_document(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", faults))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error.__cause__, ProblemError):  # FastAPI hides what reading a body raises.
        return await _known(request, error.__cause__)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    code = status_title(error.status_code).lower().replace(" ", "-")
    reason = str(error.detail)
    detail = _DETAILS.get(error.status_code, "{reason}").format(reason=reason)
    return _response(problem_document(error.status_code, code, detail), headers)


def _methods(request: Request) -> list[str]:
    """All that the path takes: a router names those of the first route that it fits."""
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


async def _gone(_request: Request, _error: Exception) -> Response:
    """The client went away while it was sending: nobody is left to answer."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %r failed", request.method, request.url.path, exc_info=error)
    # This response is sent outside our middleware, which sets these headers on all others.
    headers = {name.decode(): value.decode() for name, value in USUAL}
    headers[REQUEST_ID_HEADER] = correlation_id.get() or ""
    return _response(internal_error(), headers)
