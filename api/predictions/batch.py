"""Batch prediction: images are read one by one, graded on all threads and returned in order."""

import asyncio
import logging
import threading
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

from api.catalog.archive import SentFile, UploadLimits, ZipArchive, is_zip
from api.core import telemetry
from api.core.errors import Problem, ProblemError, internal_error, problem_document
from api.core.labels import LEVELS, Level
from api.model.grade import Grade
from api.model.instances import InstanceGrading
from api.model.predictor import MAX_BATCH, Predictor, PredictRequest, take_batch
from api.predictions.record import prediction_id_of
from api.predictions.schemas import BatchFailure, BatchPrediction, BatchSummary, Prediction
from api.predictions.state import PREFETCH, AppState

Row = BatchPrediction | BatchFailure
log = logging.getLogger(__name__)


class BatchItem(NamedTuple):
    """One image of a batch request: its bytes, or the error of reading it."""

    filename: str
    data: bytes | ProblemError


def batch_items(files: Iterable[SentFile], limits: UploadLimits) -> Iterator[BatchItem]:
    """The images in `files` and in zips among them, in order, read lazily."""
    for file in files:
        try:
            if is_zip(file.stream):
                archive = ZipArchive(file.stream, limits)
                for _, filename, data in archive.read_all(file.filename):
                    yield BatchItem(filename, data)
            else:
                yield BatchItem(file.filename, file.read(limits.file_bytes))
        except ProblemError as error:
            yield BatchItem(file.filename, error)


@dataclass
class Batch:
    """A batch request, graded throughout by the model that was loaded when it arrived.

    With `instances`, each fruit of each photo is graded too. `id`: its predictions carry it.
    `key`: a request with the same one and the same photos gives them the same IDs.
    """

    state: AppState
    predictor: Predictor
    threads: int
    id: str
    instances: bool = False
    key: str | None = None
    _failed: int = 0
    _unrecognised: int = 0
    _classes: Counter[str] = field(default_factory=Counter)
    _freshness: Counter[str] = field(default_factory=Counter)
    _levels: Counter[Level] = field(default_factory=Counter)
    _started: float = field(default_factory=perf_counter)

    async def results(self, source: Iterator[BatchItem]) -> AsyncGenerator[list[Row]]:
        """One row per item, in order; yields those that are ready. Memory is bounded."""
        reader = _Reader(source, self.key)
        running: deque[asyncio.Future[list[_Result]]] = deque()
        # Threads may finish out of order.
        early: dict[int, _Result] = {}
        more, position = True, 0
        # Bounds running and early results together.
        limit = PREFETCH * self.threads * MAX_BATCH
        try:
            while more or running:
                while more and len(running) * MAX_BATCH + len(early) <= limit - MAX_BATCH:
                    running.append(self._start(reader))
                results = await running.popleft()
                more = more and bool(results)
                early.update((result.position, result) for result in results)
                ready = []
                while position in early:
                    ready.append(self._row(early.pop(position)))
                    position += 1
                if ready:
                    yield ready
        finally:
            for future in running:  # The client disconnected.
                future.cancel()

    def _start(self, reader: "_Reader") -> "asyncio.Future[list[_Result]]":
        if self.instances:
            return asyncio.ensure_future(self._grade_instances(reader))
        return asyncio.ensure_future(self.state.run_part(reader.predict, self.predictor))

    async def _grade_instances(self, reader: "_Reader") -> list["_Result"]:
        """Grade the next item in steps, so that single predictions get their turn in between;
        empty at the end.
        """
        entry = await self.state.run_part(reader.next)
        if entry is None:
            return []
        item = entry.item
        outcome: Grade | Exception | None = None
        if isinstance(item.data, ProblemError):
            outcome = item.data
        else:
            grading = InstanceGrading(self.predictor, PredictRequest(item.data, instances=True))
            while outcome is None:
                outcome = await self.state.run_part(grading.try_step)
        return [_Result.of(entry, outcome)]

    def _row(self, result: "_Result") -> Row:
        index, filename, grade, name = result
        if isinstance(grade, Problem):
            self._failed += 1
            return BatchFailure(index=index, filename=filename, error=grade)
        version = self.predictor.manifest.version
        prediction = self.state.build_response(grade, version, filename, self.id, name)
        self._count(prediction)
        return BatchPrediction(
            index=index, filename=filename, **prediction.model_dump(exclude_unset=True)
        )

    def _count(self, prediction: Prediction) -> None:
        """What was not recognised counts as no fruit."""
        if not prediction.recognised:
            self._unrecognised += 1
            return
        self._classes[prediction.predicted_class] += 1
        if prediction.freshness:
            self._freshness[prediction.freshness] += 1
        if prediction.freshness_level:
            self._levels[prediction.freshness_level] += 1

    def summary(self) -> BatchSummary:
        graded = self._classes.total() + self._unrecognised
        return BatchSummary(
            count=graded + self._failed,
            graded=graded,
            failed=self._failed,
            by_class=dict(sorted(self._classes.items())),
            fresh=self._freshness["fresh"],
            rotten=self._freshness["rotten"],
            by_level={level: self._levels[level] for level in LEVELS},
            unrecognised=self._unrecognised,
            model_version=self.predictor.manifest.version,
            seconds=round(perf_counter() - self._started, 3),
            batch_id=self.id,
        )


class _Entry(NamedTuple):
    """An item at its position; `prediction_id`: None for a random one."""

    position: int
    item: BatchItem
    prediction_id: str | None


class _Result(NamedTuple):
    position: int
    filename: str
    grade: Grade | Problem
    prediction_id: str | None

    @classmethod
    def of(cls, entry: _Entry, outcome: Grade | Exception) -> "_Result":
        if isinstance(outcome, ProblemError):
            telemetry.count_failure(outcome)
        name = entry.item.filename
        return cls(entry.position, name, grade_or_problem(name, outcome), entry.prediction_id)


class _Reader:
    """Reads and grades items, in any number of threads."""

    def __init__(self, source: Iterator[BatchItem], key: str | None) -> None:
        self._source = enumerate(source)
        self._key = key
        self._lock = threading.Lock()

    def predict(self, predictor: Predictor) -> list[_Result]:
        """Grade the next batch of items; empty at the end. One bad image affects no other."""
        batch: list[_Entry] = []
        outcomes = predictor.predict_batch(
            PredictRequest(item.data) if isinstance(item.data, bytes) else item.data
            for item in take_batch(self._take(batch))
        )
        return [_Result.of(entry, outcome) for entry, outcome in zip(batch, outcomes, strict=True)]

    def next(self) -> _Entry | None:
        """The next item; None at the end."""
        with self._lock:
            numbered = next(self._source, None)
        if numbered is None:
            return None
        position, item = numbered
        if self._key is None or not isinstance(item.data, bytes):
            return _Entry(position, item, None)
        return _Entry(position, item, prediction_id_of(self._key, position, item.data))

    def _take(self, batch: list[_Entry]) -> Iterator[BatchItem]:
        """Yield the next items; each is also appended to `batch`."""
        while entry := self.next():
            batch.append(entry)
            yield entry.item


def grade_or_problem(filename: str, outcome: Grade | Exception) -> Grade | Problem:
    """The grade, or what went wrong; errors that are not the client's fault are logged."""
    if isinstance(outcome, Grade):
        return outcome
    if isinstance(outcome, ProblemError):
        return problem_document(outcome.status, outcome.code, outcome.detail)
    log.error("Grading %s failed", filename, exc_info=outcome)
    return internal_error()
