"""Grading many photographs: read one by one, graded on all inference threads, given in order."""

import asyncio
import logging
import threading
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

from api.catalog.archive import (
    ArchiveTooLargeError,
    FileTooLargeError,
    SentFile,
    UploadLimits,
    ZipArchive,
    is_zip,
)
from api.core.errors import ProblemError
from api.core.labels import LEVELS, Level
from api.core.near_duplicates import printable
from api.core.problem import Problem, internal_error, problem_document
from api.model.predictor import MAX_BATCH, Grade, Predictor, PredictRequest, take_batch
from api.predictions.response import build_response
from api.predictions.schemas import BatchFailure, BatchPrediction, BatchSummary
from api.predictions.state import AppState

# For each inference thread: one turn that it is at, and one that waits for it.
PREFETCH = 2
Row = BatchPrediction | BatchFailure
log = logging.getLogger(__name__)


class BatchItem(NamedTuple):
    """One photograph of a batch: its bytes, or why there are none."""

    filename: str
    data: bytes | ProblemError


def batch_items(files: Iterable[SentFile], limits: UploadLimits) -> Iterator[BatchItem]:
    """The photographs in `files`, and in zips among them, in order; each read when asked for."""
    for file in files:
        if is_zip(file.stream):
            yield from _unpacked(file, limits)
            continue
        data = file.stream.read(limits.file_bytes + 1)
        too_long = len(data) > limits.file_bytes
        yield BatchItem(file.filename, FileTooLargeError(limits.file_bytes) if too_long else data)


def _unpacked(file: SentFile, limits: UploadLimits) -> Iterator[BatchItem]:
    try:
        archive = ZipArchive(file.stream, limits)
    except ProblemError as error:
        yield BatchItem(file.filename, error)
        return
    for entry in archive.entries:
        filename = f"{file.filename}/{printable(entry.path)}"
        try:
            yield BatchItem(filename, archive.read(entry))
        except ArchiveTooLargeError as error:  # And so the rest of it is not read.
            yield BatchItem(filename, error)
            return
        except ProblemError as error:
            yield BatchItem(filename, error)


@dataclass
class Batch:
    """One batch on its way through the grader that served when it came."""

    state: AppState
    runtime: Predictor
    threads: int
    _count: int = 0
    _failed: int = 0
    _unrecognised: int = 0
    _classes: Counter[str] = field(default_factory=Counter)
    _freshness: Counter[str] = field(default_factory=Counter)
    _levels: Counter[Level] = field(default_factory=Counter)
    _started: float = field(default_factory=perf_counter)

    async def results(self, source: Iterator[BatchItem]) -> AsyncGenerator[list[Row]]:
        """One for each piece, in order, as many at a time as are ready. Few are in memory at once,
        however many there are.
        """
        loop = asyncio.get_running_loop()
        reader = _Reader(source)
        under_way: deque[asyncio.Future[list[_Graded]]] = deque()
        # Threads that begin together may come back in another order.
        early: dict[int, _Graded] = {}
        more, wanted = True, 0
        # What a turn that has come back waits with counts as well, so that few are in memory.
        most = PREFETCH * self.threads * MAX_BATCH
        try:
            while more or under_way:
                while more and len(under_way) * MAX_BATCH + len(early) <= most - MAX_BATCH:
                    grading = loop.run_in_executor(self.state.pool, reader.grade, self.runtime)
                    under_way.append(grading)
                came = await under_way.popleft()
                more = more and bool(came)
                early.update((graded.number, graded) for graded in came)
                ready = []
                while wanted in early:
                    ready.append(self._row(early.pop(wanted)))
                    wanted += 1
                if ready:
                    yield ready
        finally:
            for waiting in under_way:  # The client went away.
                waiting.cancel()

    def _row(self, graded: "_Graded") -> Row:
        index, filename, grade = graded
        self._count += 1
        if isinstance(grade, Problem):
            self._failed += 1
            return BatchFailure(index=index, filename=filename, error=grade)
        prediction = build_response(self.state, grade, self.runtime.manifest.version, filename)
        self._classes[prediction.predicted_class] += 1
        self._unrecognised += not prediction.recognised
        if prediction.freshness:
            self._freshness[prediction.freshness] += 1
        if prediction.freshness_level:
            self._levels[prediction.freshness_level] += 1
        return BatchPrediction(
            index=index, filename=filename, **prediction.model_dump(exclude_unset=True)
        )

    def summary(self) -> BatchSummary:
        return BatchSummary(
            count=self._count,
            graded=self._count - self._failed,
            failed=self._failed,
            by_class=dict(sorted(self._classes.items())),
            fresh=self._freshness["fresh"],
            rotten=self._freshness["rotten"],
            by_level={level: self._levels[level] for level in LEVELS},
            unrecognised=self._unrecognised,
            model_version=self.runtime.manifest.version,
            seconds=round(perf_counter() - self._started, 3),
        )


class _Graded(NamedTuple):
    number: int
    filename: str
    grade: Grade | Problem


class _Reader:
    """Reads and grades the next pieces, in whichever thread has time: a piece changes no thread."""

    def __init__(self, source: Iterator[BatchItem]) -> None:
        self._numbered = enumerate(source)
        self._reading = threading.Lock()

    def grade(self, runtime: Predictor) -> list[_Graded]:
        """As many as one turn of a thread takes; none where there are no more. One bad photograph
        spoils nothing but itself.
        """
        taken: list[tuple[int, BatchItem]] = []
        outcomes = runtime.predict_batch(map(_asked, take_batch(self._pieces(taken))))
        return [
            _Graded(number, piece.filename, _told(piece.filename, outcome))
            for (number, piece), outcome in zip(taken, outcomes, strict=True)
        ]

    def _pieces(self, taken: list[tuple[int, BatchItem]]) -> Iterator[BatchItem]:
        """The next that no other thread has; whichever is given is `taken`."""
        while True:
            with self._reading:
                found = next(self._numbered, None)
            if found is None:
                return
            taken.append(found)
            yield found[1]


def _asked(piece: BatchItem) -> PredictRequest | ProblemError:
    return PredictRequest(piece.data) if isinstance(piece.data, bytes) else piece.data


def _told(filename: str, outcome: Grade | Exception) -> Grade | Problem:
    if isinstance(outcome, Grade):
        return outcome
    if isinstance(outcome, ProblemError):
        return problem_document(outcome.status, outcome.code, outcome.detail)
    # A fault of ours: the other photographs are graded all the same.
    log.error("Grading %s failed", filename, exc_info=outcome)
    return internal_error()
