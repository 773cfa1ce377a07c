"""Progress of a run: its stages, and the reporter that writes them to the runs table."""

import logging
import math
import time
from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from api.retraining import repository
from api.storage.db import Database

MIN_WRITE_SECONDS = 0.5
# Below this progress, in percent, an estimate of the time left is noise.
MIN_ETA_PERCENT = 10.0
log = logging.getLogger(__name__)


class Stage(StrEnum):
    """The stages of a run, including those that the training layer reports. Shown in the API."""

    WAITING = "Waiting"
    READING = "Reading photos"
    FETCHING = "Fetching photos"
    EMBEDDING_NEW = "Looking at new photos"
    TRAINING_DETECTOR = "Training the detector"
    CHOOSING_THRESHOLD = "Choosing the detector's threshold"
    COMPARING_DETECTORS = "Comparing the detectors"
    EMBEDDING = "Embedding"
    FINE_TUNING = "Fine-tuning"
    EMBEDDING_TRAINING = "Embedding training photos"
    EMBEDDING_VALIDATION = "Embedding validation photos"
    EMBEDDING_SCENES = "Embedding scenes"
    EMBEDDING_REPLAY = "Embedding photos for the replay buffer"
    EMBEDDING_OOD = "Embedding photos of no class"
    EMBEDDING_HELD_OUT = "Embedding held-out photos"
    MEASURING_DETECTOR = "Measuring the detector"
    FITTING = "Learning"
    COMPARING = "Comparing with the champion"
    REGISTERING = "Registering the candidate"


# The progress at which each stage starts and ends, in percent, by mode. A full run here keeps the
# champion's detector.
STAGE_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "fast": {
        Stage.EMBEDDING_NEW: (2.0, 50.0),
        Stage.FITTING: (50.0, 75.0),
        Stage.COMPARING: (75.0, 95.0),
        Stage.REGISTERING: (95.0, 99.0),
    },
    "full": {
        Stage.READING: (0.0, 2.0),
        Stage.FETCHING: (2.0, 3.0),
        Stage.EMBEDDING_NEW: (3.0, 4.0),
        Stage.EMBEDDING: (4.0, 8.0),
        Stage.FINE_TUNING: (8.0, 70.0),
        Stage.EMBEDDING_TRAINING: (70.0, 71.0),
        Stage.EMBEDDING_VALIDATION: (71.0, 72.0),
        Stage.EMBEDDING_SCENES: (72.0, 91.0),
        Stage.EMBEDDING_REPLAY: (91.0, 93.0),
        Stage.EMBEDDING_OOD: (93.0, 94.0),
        Stage.EMBEDDING_HELD_OUT: (94.0, 95.0),
        Stage.MEASURING_DETECTOR: (95.0, 97.0),
        Stage.COMPARING: (97.0, 98.0),
        Stage.REGISTERING: (98.0, 99.0),
    },
    "detector": {
        Stage.READING: (0.0, 3.0),
        Stage.FETCHING: (3.0, 5.0),
        Stage.TRAINING_DETECTOR: (5.0, 78.0),
        Stage.CHOOSING_THRESHOLD: (78.0, 82.0),
        Stage.COMPARING_DETECTORS: (82.0, 88.0),
        Stage.MEASURING_DETECTOR: (88.0, 98.0),
        Stage.REGISTERING: (98.0, 99.0),
    },
}


# In a full run that trains the detector, right after EMBEDDING_NEW: shares of the detector's time.
_DETECTOR_RANGES = {
    Stage.TRAINING_DETECTOR: (0.0, 0.92),
    Stage.CHOOSING_THRESHOLD: (0.92, 0.96),
    Stage.COMPARING_DETECTORS: (0.96, 1.0),
}


def stage_ranges(mode: str, detector_share: float = 0.0) -> dict[str, tuple[float, float]]:
    """By stage, the progress at its start and end, in percent. `detector_share` is the share of
    the run's time that training the detector takes: 0 to 1."""
    ranges = STAGE_RANGES[mode]
    if not detector_share:
        return dict(ranges)
    start = ranges[Stage.EMBEDDING_NEW][1]
    width = detector_share * (100 - start)

    def moved(value: float) -> float:
        return start + width + (1 - detector_share) * (value - start)

    later = {
        stage: (moved(first), moved(last)) if first >= start else (first, last)
        for stage, (first, last) in ranges.items()
    }
    return later | {
        stage: (start + width * first, start + width * last)
        for stage, (first, last) in _DETECTOR_RANGES.items()
    }


class RunAbortedError(Exception):
    """Another process ended the run, so its result must be discarded."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"Another process ended run {run_id}.")


class ProgressReporter:
    """Writes stage, message, progress (0 to 100), ETA in seconds and losses of one run.

    `stage_ranges` has the progress at which each stage starts and ends, in percent; other stages do
    not change it. An unavailable database is logged and does not stop the run.
    """

    def __init__(
        self, database: Database, run_id: str, stage_ranges: Mapping[str, tuple[float, float]]
    ) -> None:
        self._database = database
        self._run_id = run_id
        self._stage_ranges = stage_ranges
        self._started = time.monotonic()
        self._last_write = -math.inf
        self._progress = 0.0
        self._stage = ""
        self._losses: list[dict[str, float]] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        """A `core.progress.Progress`. Raises RunAbortedError if the run is no longer running."""
        start, end = self._stage_ranges.get(stage, (self._progress, self._progress))
        self._progress = max(self._progress, start + (end - start) * done / max(total, 1))
        is_new_stage, self._stage = stage != self._stage, str(stage)
        if not is_new_stage and time.monotonic() - self._last_write < MIN_WRITE_SECONDS:
            return
        count = f" ({done} of {total})" if total > 1 else ""
        self._write(f"{stage}{count}.")

    def epoch(self, metrics: Mapping[str, float]) -> None:
        """A `core.progress.OnEpoch`. Raises RunAbortedError."""
        # JSON columns take neither NaN nor infinity.
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        self._losses.append({"epoch": len(self._losses) + 1, **finite})
        self._write(f"Epoch {len(self._losses)} is done.")

    def _write(self, message: str) -> None:
        self._last_write = time.monotonic()
        values = {
            "stage": self._stage,
            "message": message,
            "progress": round(self._progress, 1),
            "eta_seconds": self._eta_seconds(),
            "losses": self._losses,
        }
        try:
            with self._database.session() as session:
                is_running = repository.update_running(session, self._run_id, **values)
        except SQLAlchemyError as error:
            log.warning("The progress of run %s cannot be written: %s", self._run_id, error)
            return
        if not is_running:
            raise RunAbortedError(self._run_id)

    def _eta_seconds(self) -> float | None:
        if self._progress < MIN_ETA_PERCENT:
            return None
        elapsed = time.monotonic() - self._started
        return round(elapsed * (100 - self._progress) / self._progress, 1)
