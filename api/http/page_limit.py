"""Computes slow pages one at a time.

They share the interpreter's lock with grading. Four readers of `/insights/map` at once made grading
almost five times slower; one at a time, with pauses, less than twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.errors import ProblemError
from api.http.problems import problem_response
from api.http.root_path import route_path

PAGES = frozenset(
    {
        *("/insights/map", "/insights/dataset", "/insights/augmentation", "/drift", "/triggers"),
        *("/monitoring/summary", "/monitoring/accuracy", "/feedback/summary", "/review-queue"),
        *("/dataset/images", "/dataset/summary", "/predictions", "/models", "/models/compare"),
        *("/dataset/boxed-photos", "/inspections"),
        "/openapi.json",
    }
)
REPORTS = "/report/"
INSPECTION_REPORTS = ("/report.pdf", "/report.xlsx")
MAX_WAITING = 64
# A pause is this many times as long as the previous page took, up to a maximum.
PAUSE_FACTOR = 3.0
MAX_PAUSE_SECONDS = 2.0


class PagesBusyError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "pages-busy"
    retry_after_seconds = 5
    detail = "Too many requests wait for pages like this one. Try again in some seconds."


class PageLimitMiddleware:
    """Lets one request for one of PAGES through at a time, until its answer begins.

    If photos were graded meanwhile (`graded` counts them), a pause follows. Beyond MAX_WAITING the
    answer is 503.
    """

    def __init__(
        self,
        app: ASGIApp,
        graded: Callable[[], int],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app = app
        self._graded = graded
        self._pause = pause
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._pausing: asyncio.Future[None] | None = (
            None  # Referenced, so that it is not collected.
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_page(scope):
            await self._app(scope, receive, send)
        elif self._waiting >= MAX_WAITING:
            await problem_response(PagesBusyError())(scope, receive, send)
        else:
            await self._in_turn(scope, receive, send)

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        started, graded = time.perf_counter(), self._graded()
        is_over = False

        def end_turn() -> None:
            nonlocal is_over
            if is_over:
                return
            is_over = True
            if self._graded() == graded:
                self._turn.release()
                return
            seconds = min(PAUSE_FACTOR * (time.perf_counter() - started), MAX_PAUSE_SECONDS)
            self._pausing = asyncio.ensure_future(self._pause(seconds))
            self._pausing.add_done_callback(lambda _: self._turn.release())

        async def send_and_end_turn(message: Message) -> None:
            # Before it is sent: a reader may be slow.
            end_turn()
            await send(message)

        try:
            await self._app(scope, receive, send_and_end_turn)
        finally:
            end_turn()


def _is_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path = route_path(scope)
    return path in PAGES or path.startswith(REPORTS) or path.endswith(INSPECTION_REPORTS)
