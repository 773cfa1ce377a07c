"""How far a run is: what it writes of itself, and where each stage takes its progress."""

import logging
import math
import time
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from api.retraining import repository
from api.retraining.errors import RunGivenUpError
from api.storage.db import Database, now

# Progress is written at most so often.
EVERY_SECONDS = 0.5
# An estimate of the time left is worth telling from here on.
ESTIMATE_FROM = 10.0
# From where to where, in percent, by mode and by the name that the stage tells of itself.
SPANS = {
    "fast": {
        "Looking at new photographs": (2.0, 50.0),
        "Learning": (50.0, 75.0),
        "Comparing with the champion": (75.0, 95.0),
        "Entering the candidate": (95.0, 99.0),
    },
    "full": {
        "Reading photographs": (0.0, 2.0),
        "Fetching photographs": (2.0, 3.0),
        "Looking at new photographs": (3.0, 4.0),
        "Embedding": (4.0, 8.0),
        "Fine-tuning": (8.0, 88.0),
        "Embedding what was learned from": (88.0, 90.0),
        "Embedding for the replay": (90.0, 93.0),
        "Embedding held-out files": (93.0, 95.0),
        "Comparing with the champion": (95.0, 98.0),
        "Entering the candidate": (98.0, 99.0),
    },
}
log = logging.getLogger(__name__)


class ProgressReporter:
    """Writes stage, message, progress (0 to 100), seconds left and losses of one run.

    `spans` says of each stage from where to where it takes the progress, in percent; a stage that
    is not among them leaves it where it is. Progress that cannot be written is no reason to stop.
    """

    def __init__(
        self, database: Database, run_id: str, spans: Mapping[str, tuple[float, float]]
    ) -> None:
        self._database = database
        self._run_id = run_id
        self._spans = spans
        self._began = time.monotonic()
        self._written = -math.inf
        self._progress = 0.0
        self._stage = ""
        self._losses: list[dict[str, float]] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        """A `core.progress.Progress`. Raises RunGivenUpError where the run is no more."""
        start, end = self._spans.get(stage, (self._progress, self._progress))
        self._progress = max(self._progress, start + (end - start) * done / max(total, 1))
        new_stage, self._stage = stage != self._stage, stage
        if not new_stage and time.monotonic() - self._written < EVERY_SECONDS:
            return
        counted = f" ({done} of {total})" if total > 1 else ""
        self._write(f"{stage}{counted}.")

    def epoch(self, figures: Mapping[str, float]) -> None:
        """The figures of one epoch that is over."""
        # A database's JSON has no word for what is no number.
        known = {name: value for name, value in figures.items() if math.isfinite(value)}
        self._losses.append({"epoch": len(self._losses) + 1, **known})
        self._write(f"Epoch {len(self._losses)} is done.")

    def _write(self, message: str) -> None:
        self._written = time.monotonic()
        values = {
            "stage": self._stage,
            "message": message,
            "progress": round(self._progress, 1),
            "eta_seconds": self._left(),
            "losses": self._losses,
            "heartbeat_at": now(),
        }
        try:
            with self._database.session() as session:
                there = repository.update_progress(session, self._run_id, **values)
        except SQLAlchemyError as error:
            log.warning("The progress of run %s cannot be written: %s", self._run_id, error)
            return
        if not there:
            raise RunGivenUpError(self._run_id)

    def _left(self) -> float | None:
        if self._progress < ESTIMATE_FROM:
            return None
        taken = time.monotonic() - self._began
        return round(taken * (100 - self._progress) / self._progress, 1)
