"""Periodic work on a background thread."""

import logging
import threading
from collections.abc import Callable
from typing import Self

STOP_SECONDS = 5.0
RETRY_SECONDS = 60.0
log = logging.getLogger(__name__)


class BackgroundTask:
    """A context manager that calls `work` at once and then every `seconds`.

    A failed call is logged and repeated after at most a minute.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while True:
            pause = self._seconds
            try:
                self._work()
            except Exception as error:  # Such as an unavailable catalog.
                log.warning("The %s failed and tries again later: %s", self._thread.name, error)
                pause = min(pause, RETRY_SECONDS)
            if self._stopping.wait(pause):
                return
