"""Shutdown without dropped requests: on SIGTERM the process first reports that it is not ready.

For some seconds `/ready` answers 503 while everything else is served, so that load balancers stop
sending requests; responses say that their connection closes. Then the server's own handler finishes
the requests in progress, and the process ends.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.predictions.state import AppState


@contextmanager
def drain_on_sigterm(state: AppState, seconds: float) -> Iterator[None]:
    """Run the server's SIGTERM handler `seconds` after SIGTERM. Enter it in the server's loop."""
    loop = asyncio.get_running_loop()
    server_handler = signal.getsignal(signal.SIGTERM)
    # Only the main thread may set signal handlers; in a test the app runs in another.
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(server_handler):  # By default SIGTERM ends the process at once.
        yield
        return

    def start_draining(_signal: int, _frame: FrameType | None) -> None:
        state.draining = True
        stop_server = partial(server_handler, signal.SIGTERM, None)
        loop.call_soon_threadsafe(loop.call_later, seconds, stop_server)

    signal.signal(signal.SIGTERM, start_draining)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server_handler)


class DrainingMiddleware:
    """While `is_draining`, after SIGTERM, responses announce that their connection closes."""

    def __init__(self, app: ASGIApp, is_draining: Callable[[], bool]) -> None:
        self._app = app
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and self._is_draining():
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, send_closing if scope["type"] == "http" else send)
