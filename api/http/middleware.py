"""ASGI middleware: HEAD, limits on the size and duration of a request's body, request metrics."""

import asyncio
import time
from collections.abc import Mapping
from re import Pattern

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core import telemetry
from api.core.errors import BodyTooLargeError, SlowBodyError
from api.http.root_path import route_path

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# nginx's status for a request whose client disconnected before the response.
CLIENT_CLOSED_REQUEST = 499
FAILED = 500
MIN_BYTES_PER_SECOND = 16 * 2**10


class RequestMetricsMiddleware:
    """Counts requests, and measures the time to the last byte of the response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = CLIENT_CLOSED_REQUEST

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        except Exception:
            status = FAILED  # Starlette sends the response, outside all middleware.
            raise
        finally:
            seconds = time.perf_counter() - started
            # The router has set it meanwhile.
            route = getattr(scope.get("route"), "path_format", "unmatched")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            telemetry.REQUESTS.labels(route, method, str(status)).inc()
            telemetry.REQUEST_SECONDS.labels(route).observe(seconds)


class HeadMiddleware:
    """Answers HEAD as GET, without a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, send_without_body)
        finally:
            scope.update({name: as_get[name] for name in ("route",) if name in as_get})


class BodySizeLimitMiddleware:
    """Reading more than `limit` bytes of a body raises BodyTooLargeError in the application.

    `path_limits` overrides the limit of the paths that match. Up to `limit` more bytes are read and
    dropped first: a client that is still sending would otherwise get a broken connection instead of
    the response.
    """

    def __init__(self, app: ASGIApp, limit: int, path_limits: Mapping[Pattern[str], int]) -> None:
        self._app = app
        self._limit = limit
        self._path_limits = path_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = route_path(scope)
        limit = next(
            (most for pattern, most in self._path_limits.items() if pattern.fullmatch(path)),
            self._limit,
        )
        content_length = dict(scope["headers"]).get(b"content-length", b"0")
        is_too_large = content_length.isdigit() and int(content_length) > limit
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received <= limit and not is_too_large:
                return message
            while message.get("more_body") and received <= 2 * limit:
                message = await receive()
                received += len(message.get("body", b""))
            raise BodyTooLargeError(limit)

        await self._app(scope, receive_limited, send)


class BodyTimeoutMiddleware:
    """A body that arrives too slowly raises SlowBodyError in the application.

    It may take `seconds`, plus one for every 16 KiB received, so that large uploads over a slow
    line succeed.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = time.monotonic() + self._seconds
        is_complete = False

        async def receive_in_time() -> Message:
            nonlocal deadline, is_complete
            if is_complete:  # Waits for the client to disconnect.
                return await receive()
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                raise SlowBodyError() from None
            deadline += len(message.get("body", b"")) / MIN_BYTES_PER_SECOND
            is_complete = not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)
