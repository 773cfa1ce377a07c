"""Finds runs whose worker is gone, without trusting a wall clock.

A computer may sleep for an hour, and its clock may be set forward or back; neither ends a worker.
So the time in a heartbeat is ignored: a watcher adds up for how long the heartbeat has not changed.
Each poll adds a few seconds at most, so that after a sleep or a database outage the worker has time
to go on.
"""

import time
from collections.abc import Callable, Collection
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

    `own` are ids of the runs of this process, which it knows to be alive. `clock` returns seconds
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
        """End the runs that are lost, and return their ids. Raises errors of the database."""
        at = self._clock()
        step = min(at - self._polled_at, MAX_STEP_SECONDS)
        self._polled_at = at
        with self._database.reading() as session:
            heartbeats = repository.heartbeats(session)
        silence = {}
        for run_id, heartbeat in heartbeats.items():
            last, seconds = self._silence.get(run_id, (None, 0.0))
            is_silent = run_id in self._silence and heartbeat == last and run_id not in self._own
            silence[run_id] = heartbeat, seconds + step if is_silent else 0.0
        self._silence = silence
        lost = {
            run_id: heartbeat
            for run_id, (heartbeat, seconds) in silence.items()
            if seconds >= LOST_SECONDS
        }
        if not lost:
            return []
        with self._database.session() as session:
            return service.reap(session, lost)
