"""Shutdown without dropped requests: on SIGTERM the process first reports that it is not ready.

For some seconds `/ready` answers 503 and all else is served, so that load balancers stop sending
requests. Then the server's own handler finishes the requests in progress, and the process ends.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from api.predictions.state import AppState


@contextmanager
def drain_on_sigterm(state: AppState, seconds: float) -> Iterator[None]:
    """Run the server's SIGTERM handler `seconds` after SIGTERM. Enter it in the server's loop."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread may set signal handlers; here the app runs in a test.
        return
    loop = asyncio.get_running_loop()
    server_handler = signal.getsignal(signal.SIGTERM)

    def stop_server() -> None:
        if callable(server_handler):
            server_handler(signal.SIGTERM, None)

    def start_draining(_signal: int, _frame: FrameType | None) -> None:
        state.draining = True
        loop.call_soon_threadsafe(loop.call_later, seconds, stop_server)

    if not callable(server_handler):  # The default action: SIGTERM ends the process at once.
        yield
        return
    signal.signal(signal.SIGTERM, start_draining)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server_handler)
