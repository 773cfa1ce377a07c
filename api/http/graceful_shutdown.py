"""Ending without a dropped request: on SIGTERM the process first says that it is going.

For a while `/ready` is 503 and all else goes on, so that a load balancer sends nothing more; then
the server's own handler has the requests in flight finished, and the process ends.
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
    """Put `seconds` between SIGTERM and what the server does on it. To be entered in its loop."""
    if threading.current_thread() is not threading.main_thread():
        yield  # No server of ours: signals belong to the main thread.
        return
    loop = asyncio.get_running_loop()
    server = signal.getsignal(signal.SIGTERM)

    def end() -> None:
        if callable(server):
            server(signal.SIGTERM, None)

    def announce(_signal: int, _frame: FrameType | None) -> None:
        state.draining = True
        loop.call_soon_threadsafe(loop.call_later, seconds, end)

    if not callable(server):  # Nothing is done on SIGTERM but to end at once.
        yield
        return
    signal.signal(signal.SIGTERM, announce)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server)
