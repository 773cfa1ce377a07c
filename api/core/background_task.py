"""Periodic work on a background thread."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

STOP_SECONDS = 3.0
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
        self.stop()
        self.join(STOP_SECONDS)

    def stop(self) -> None:
        self._stopping.set()

    def join(self, seconds: float) -> None:
        """Wait up to `seconds` for a running call of `work` to end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            pause = self._seconds
            try:
                self._work()
            except Exception as error:  # The catalog may be unavailable, for example.
                log.warning("The %s failed and tries again later: %s", self._thread.name, error)
                pause = min(pause, RETRY_SECONDS)
            if self._stopping.wait(pause):
                return


@contextmanager
def running(*tasks: BackgroundTask) -> Iterator[None]:
    """Run the tasks, then stop them together: within STOP_SECONDS, even if all are busy."""
    for task in tasks:
        task.__enter__()
    try:
        yield
    finally:
        for task in tasks:
            task.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for task in tasks:
            task.join(max(0.0, deadline - time.monotonic()))
