"""A shadow version also grades a share of the photos of `/predict`, after the response was sent.

Each process follows the catalog: it loads the version that grades beside the one in use, and frees
it at the end. A photo waits in a short queue for the inference threads; if the queue is full, it is
left out. No failure here reaches the client that sent the photo.
"""

import logging
import threading
import time
from collections import deque
from datetime import datetime
from random import SystemRandom

from api.core import telemetry
from api.model.grade import Grade
from api.model.predictor import Predictor
from api.predictions.freshness_thresholds import with_thresholds_in_use
from api.predictions.schemas import Prediction
from api.predictions.state import AppState
from api.registry import shadow_repository
from api.registry.model_reloader import load_version
from api.registry.shadow_repository import ShadowGrade, ShadowResult
from api.settings import Settings
from api.storage.tables.shadows import ShadowRow

POLL_SECONDS = 1.0
RETRY_SECONDS = 60.0
# Limits on waiting photos, on their memory, and on results kept while the catalog is unavailable.
MAX_QUEUE, MAX_QUEUE_BYTES, MAX_RESULTS = 32, 32 * 2**20, 2000
log = logging.getLogger(__name__)


class ShadowLane:
    """The photos that one version grades beside the one in use. Thread-safe."""

    def __init__(self, state: AppState, row: ShadowRow, predictor: Predictor) -> None:
        self.key = _key(row)
        self._state = state
        self._beside, self._share, self._left = row.beside, row.share, row.left
        self._predictor: Predictor | None = predictor
        self._random = SystemRandom()
        self._queue: deque[tuple[bytes, Prediction]] = deque()
        self._queued_bytes = 0
        # A submitted task takes its photo from the queue when a thread is free for it.
        self._is_submitted = self._is_grading = False
        self._results: list[ShadowResult] = []
        self._lock = threading.Lock()

    async def offer(self, data: bytes, prediction: Prediction) -> None:
        """Take the photo of a prediction, if it is drawn and there is room. Does not block."""
        if prediction.model_version != self._beside or self._random.random() >= self._share:
            return
        with self._lock:
            if self._predictor is None or self._left <= 0:
                return
            too_large = self._queued_bytes + len(data) > MAX_QUEUE_BYTES
            if len(self._queue) >= MAX_QUEUE or too_large:
                telemetry.SHADOW_DROPPED.inc()
                return
            self._queue.append((data, prediction))
            self._queued_bytes += len(data)
            self._left -= 1
            if not self._is_submitted:
                self._submit()

    def update(self, settings: Settings, left: int) -> None:
        """Adopt the freshness thresholds in use, and take at most `left` more photos."""
        with self._lock:
            if self._predictor is not None:
                self._predictor = with_thresholds_in_use(self._state, settings, self._predictor)
            self._left = left - len(self._queue) - len(self._results) - self._is_grading

    def take_results(self) -> list[ShadowResult]:
        with self._lock:
            results, self._results = self._results, []
        return results

    def return_results(self, results: list[ShadowResult]) -> None:
        """Take back results that could not be written."""
        with self._lock:
            self._results = [*results, *self._results][:MAX_RESULTS]

    def close(self) -> None:
        """Drop the waiting photos, and free the model."""
        with self._lock:
            self._queue.clear()
            self._predictor = None

    def _submit(self) -> None:
        """One photo at a time, so that photos of /predict get their turn in between."""
        try:
            self._state.pool.submit(self._grade_next)
            self._is_submitted = True
        except RuntimeError:  # The service is shutting down.
            self._queue.clear()
            self._is_submitted = False

    def _grade_next(self) -> None:
        with self._lock:
            predictor, item = self._predictor, self._queue.popleft() if self._queue else None
            self._queued_bytes = sum(len(data) for data, _ in self._queue)
            self._is_grading = item is not None
        result = _grade(predictor, *item) if predictor and item else None
        with self._lock:
            if result and len(self._results) < MAX_RESULTS:
                self._results.append(result)
            self._is_submitted = self._is_grading = False
            if self._queue:
                self._submit()


class ShadowFollower:
    """Makes `state.shadow` follow the catalog.

    Call `follow` every POLL_SECONDS, from one thread.
    """

    def __init__(self, settings: Settings, state: AppState) -> None:
        # It grades one photo at a time, and each further thread would take memory.
        self._settings = settings.model_copy(update={"inference_threads": 1})
        self._state = state
        self._lane: ShadowLane | None = None
        self._failed: tuple[str, datetime] | None = None
        self._retry_at = 0.0

    def follow(self) -> None:
        """Start or stop the shadow version, and write its results. Raises database errors."""
        if self._state.catalog_problem:
            return
        with self._state.database.reading() as session:
            row = shadow_repository.active(session)
        if self._lane and (row is None or _key(row) != self._lane.key):
            self.stop()
        if row is None:
            return
        if self._lane is None:
            self._start(row)
        else:
            self._lane.update(self._settings, row.left)
            self._write(self._lane)

    def stop(self) -> None:
        """Free the memory of the other version."""
        self._state.shadow = None
        if self._lane:
            self._lane.close()
            log.info("Version %s no longer grades beside the one in use.", self._lane.key[0])
        self._lane = None

    def _start(self, row: ShadowRow) -> None:
        if _key(row) == self._failed and time.monotonic() < self._retry_at:
            return
        try:
            loaded = load_version(self._settings, self._state.blobs, row.version)
        except Exception as error:  # Each kind of blob store raises its own errors.
            self._failed, self._retry_at = _key(row), time.monotonic() + RETRY_SECONDS
            log.error("Version %s cannot grade beside the one in use: %s", row.version, error)
            return
        predictor = with_thresholds_in_use(self._state, self._settings, loaded)
        self._lane = ShadowLane(self._state, row, predictor)
        self._state.shadow = self._lane.offer
        log.info("Version %s grades beside the one in use.", row.version)

    def _write(self, lane: ShadowLane) -> None:
        if not (results := lane.take_results()):
            return
        try:
            with self._state.database.session() as session:
                shadow_repository.add_results(session, *lane.key, results)
        except Exception:
            lane.return_results(results)
            raise


def _key(row: ShadowRow) -> tuple[str, datetime]:
    """A version that is started again counts from zero."""
    return row.version, row.started_at


def _grade(predictor: Predictor, data: bytes, prediction: Prediction) -> ShadowResult:
    served = ShadowGrade(
        prediction.predicted_class if prediction.recognised else None,
        prediction.freshness_level if prediction.recognised else None,
        prediction.confidence,
    )
    candidate = None
    try:
        candidate = _answer(predictor.predict(data))
    except Exception:  # Not the photo's fault: the version in use has graded it.
        log.exception("Version %s failed beside the one in use", predictor.manifest.version)
    return ShadowResult(prediction.prediction_id, served, candidate)


def _answer(grade: Grade) -> ShadowGrade:
    if not grade.recognised:
        return ShadowGrade(None, None, grade.confidence)
    return ShadowGrade(grade.class_name, grade.freshness_level, grade.confidence)
