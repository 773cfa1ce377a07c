"""Counting and timing every request, by the route's template and never by the path itself."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# What nginx calls a request whose client went away before any answer.
CLIENT_GONE = 499
FAILED = 500


class Timing:
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
            metrics.REQUESTS.labels(route, method, str(status)).inc()
            metrics.REQUEST_SECONDS.labels(route).observe(seconds)
