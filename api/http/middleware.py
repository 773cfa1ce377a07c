"""ASGI middleware: no body may be too long or too slow, and every request is counted and timed."""

import asyncio
import re
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core import telemetry
from api.core.errors import BodyTooLargeError, SlowBodyError

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# What nginx calls a request whose client went away before any answer.
CLIENT_GONE = 499
FAILED = 500
BYTES_A_SECOND = 16 * 2**10
REQUEST_ID_HEADER = "X-Request-ID"
# It goes into logs, headers and the queue as it is.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_safe_request_id(value: str) -> bool:
    return _REQUEST_ID.fullmatch(value) is not None


class RequestMetricsMiddleware:
    """ASGI middleware. The time goes to the last byte of the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = CLIENT_GONE

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            status = FAILED  # The answer is made further out.
            raise
        finally:
            seconds = time.perf_counter() - started
            # Set by the router, on the way.
            route = getattr(scope.get("route"), "path_format", "unmatched")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            telemetry.REQUESTS.labels(route, method, str(status)).inc()
            telemetry.REQUEST_SECONDS.labels(route).observe(seconds)


class BodySizeLimitMiddleware:
    """ASGI middleware: reading more than `limit` bytes of a body raises BodyTooLargeError.

    `limits` gives some paths another limit. It raises inside the application, whose handlers turn
    it into an answer. The rest of the body is read and thrown away first, up to as much again: a
    client that is still sending would otherwise see a broken connection in place of the answer.
    """

    def __init__(self, app: ASGIApp, limit: int, limits: Mapping[str, int]) -> None:
        self._app = app
        self._limit = limit
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        limit = self._limits.get(path, self._limit)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        too_long = announced.isdigit() and int(announced) > limit
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received <= limit and not too_long:
                return message
            while message.get("more_body") and received <= 2 * limit:
                message = await receive()
                received += len(message.get("body", b""))
            raise BodyTooLargeError(limit)

        await self._app(scope, counted, send)


class BodyTimeoutMiddleware:
    """ASGI middleware: a body that comes too slowly raises SlowBodyError where it is read.

    It may take `seconds`, and one more for every 16 KiB that came: a long upload over a poor line
    goes through.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        latest = time.monotonic() + self._seconds
        whole = False

        async def timed() -> Message:
            nonlocal latest, whole
            if whole:  # What comes now is that the client goes away.
                return await receive()
            try:
                async with asyncio.timeout(latest - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                raise SlowBodyError() from None
            latest += len(message.get("body", b"")) / BYTES_A_SECOND
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, timed, send)
