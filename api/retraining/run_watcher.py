"""Finds runs whose worker is gone, without trusting a wall clock.

A computer may sleep for an hour, and its clock may be set forward or back; neither ends a worker.
So the time in a heartbeat is ignored: a watcher adds up how long the heartbeat has not changed.
Each poll adds a few seconds at most, so a worker has time to resume after a sleep or a database
outage. The second half of the time counts only while the watcher itself can write: if another
program locks the catalog, a live worker is silent too.
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from api.retraining import repository, service
from api.storage.db import Database

POLL_SECONDS = 2.0
# The most that one poll adds.
MAX_STEP_SECONDS = 2 * POLL_SECONDS
# The worker writes a heartbeat every 3 s.
LOST_SECONDS = 30.0


class RunWatcher:
    """Call `poll` every POLL_SECONDS, from one thread.

    `own` are IDs of the runs of this process, which it knows to be alive. `clock` returns seconds
    that only increase.
    """

    def __init__(
        self,
        database: Database,
        own: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._own = own
        self._clock = clock
        self._polled_at = clock()
        # By run: its last heartbeat, and the seconds since it changed.
        self._silence: dict[str, tuple[datetime | None, float]] = {}

    def poll(self) -> list[str]:
        """End the runs that are lost, and return their IDs. Raises database errors."""
        at = self._clock()
        step = min(at - self._polled_at, MAX_STEP_SECONDS)
        self._polled_at = at
        is_doubtful = any(seconds >= LOST_SECONDS / 2 for _, seconds in self._silence.values())
        open_session = self._database.session if is_doubtful else self._database.reading
        with open_session() as session:
            lost = self._lost(repository.heartbeats(session), step)
            return service.reap(session, lost) if lost else []

    def _lost(
        self, heartbeats: Mapping[str, datetime | None], step: float
    ) -> dict[str, datetime | None]:
        """The heartbeats of the runs that are lost after `step` more seconds."""
        silence = {}
        for run_id, heartbeat in heartbeats.items():
            last, seconds = self._silence.get(run_id, (None, 0.0))
            is_silent = run_id in self._silence and heartbeat == last and run_id not in self._own
            silence[run_id] = heartbeat, seconds + step if is_silent else 0.0
        self._silence = silence
        return {
            run_id: heartbeat
            for run_id, (heartbeat, seconds) in silence.items()
            if seconds >= LOST_SECONDS
        }
