"""Work that a process does again and again beside serving: on a thread of its own, at leisure."""

import logging
import threading
from collections.abc import Callable
from typing import Self

END_SECONDS = 5.0
RETRY_SECONDS = 60.0
log = logging.getLogger(__name__)


class BackgroundTask:
    """Calls `work` when it is entered, and then every `seconds` until it is left.

    A call that fails is logged, and tried again after a minute.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._seconds = seconds
        self._work = work
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        while True:
            pause = self._seconds
            try:
                self._work()
            except Exception as error:  # Such as a catalog that is away for a while.
                log.warning("The %s failed and tries again later: %s", self._thread.name, error)
                pause = min(pause, RETRY_SECONDS)
            if self._ended.wait(pause):
                return
