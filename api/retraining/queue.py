"""The queue between the API and its workers. It carries the id of a run, and nothing more.

What a run is stands in the catalog. A message that is lost or comes twice changes nothing: workers
also look for queued runs in the table, and one of them alone can take a run.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from api.settings import Settings

if TYPE_CHECKING:
    from huey import Huey
    from huey.consumer import Consumer

# How often a worker looks into the queue, in seconds.
POLL_SECONDS = 0.2
# One performs a run; the other can take the next while the first still logs what is done.
THREADS = 2
log = logging.getLogger(__name__)


def _nothing(_run_id: str) -> None:
    """What the API does with runs: it only queues them."""


class RunQueue:
    """Ids of runs that wait for a worker; opened when it is first used."""

    def __init__(self, settings: Settings, work: Callable[[str], None] = _nothing) -> None:
        self._settings = settings
        self._work = work
        self._opened: tuple[Huey, Callable[[str], Any]] | None = None
        self._opening = threading.Lock()

    def put(self, run_id: str) -> None:
        """Wake a worker. A queue that cannot be reached is no loss, only seconds of waiting."""
        try:
            _, perform = self._open()
            perform(run_id)
        except Exception as error:  # Whatever the drivers of two databases raise.
            log.warning("Run %s is queued, but no worker could be woken: %s", run_id, error)

    def consumer(self) -> "Consumer":
        """Threads that call `work` with each id that comes; `start` and `stop` them."""
        queue, _ = self._open()
        return queue.create_consumer(
            workers=THREADS,
            periodic=False,
            initial_delay=POLL_SECONDS,
            max_delay=POLL_SECONDS,
            scheduler_interval=60,
        )

    def close(self) -> None:
        if self._opened:
            self._opened[0].storage.close()

    def _open(self) -> "tuple[Huey, Callable[[str], Any]]":
        with self._opening:
            if self._opened is None:
                # Imported here: the API starts the sooner, and takes less memory, without it.
                from api.retraining.huey_queue import huey_queue  # noqa: PLC0415

                queue = huey_queue(self._settings)

                def perform(run_id: str) -> None:
                    self._work(run_id)

                self._opened = queue, queue.task()(perform)
            return self._opened
