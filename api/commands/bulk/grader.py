"""Grading in one process: paths in, rows out, with the same runtime that serves."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from api.catalog.archive import FileTooLargeError
from api.commands.bulk.output import failed, graded, schema
from api.commands.bulk.source import Source
from api.core.errors import ProblemError
from api.core.freshness_levels import LevelThresholds
from api.model.package import Package
from api.model.predictor import MAX_BATCH, Grade, Predictor, PredictRequest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoringJob:
    """What every process needs to know, on whatever machine it is.

    `thresholds` are those of the freshness levels, None for the package's own.
    """

    package: Package
    address: str
    max_bytes: int
    max_pixels: int
    thresholds: LevelThresholds | None = None

    @property
    def schema(self) -> pa.Schema:
        return schema(self.package.manifest.classes)

    @property
    def levels(self) -> str:
        """Where it draws the line, in words: all of a job's rows are graded alike."""
        if self.thresholds is None:
            return "the model's own"
        below, fresh = self.thresholds.rotten_below, self.thresholds.fresh_from
        return f"rotten below {below}, fresh from {fresh}"

    def source(self) -> Source:
        return Source(self.address, self.max_bytes)


class Grader:
    """One interpreter on one core. Raises ValueError or RuntimeError for a graph that is none."""

    def __init__(self, work: ScoringJob) -> None:
        self._work = work
        self._source = work.source()
        self._version = work.package.manifest.version
        runtime = Predictor.of_package(work.package, work.max_pixels, threads=1)
        self._runtime = runtime.with_thresholds(work.thresholds)

    def __call__(self, paths: Sequence[str]) -> pa.Table:
        """A row for each path, in order. Raises SourceError where the store is away."""
        rows = []
        read = zip(paths, map(self._asked, self._source.read(paths)), strict=True)
        while taken := list(islice(read, MAX_BATCH)):
            outcomes = self._runtime.predict_batch([asked for _, asked in taken])
            for (path, _), outcome in zip(taken, outcomes, strict=True):
                rows.append(self._row(path, outcome))
        return pa.Table.from_pylist(rows, schema=self._work.schema)

    def _asked(self, data: bytes | OSError) -> PredictRequest | Exception:
        if isinstance(data, OSError):
            return data
        too_long = len(data) > self._work.max_bytes
        return FileTooLargeError(self._work.max_bytes) if too_long else PredictRequest(data)

    def _row(self, path: str, outcome: Grade | Exception) -> dict[str, Any]:
        if isinstance(outcome, Grade):
            return graded(path, outcome, self._version)
        if isinstance(outcome, ProblemError):
            why = outcome.detail
        elif isinstance(outcome, OSError):
            why = f"The file cannot be read: {outcome.strerror or outcome}."
        else:  # A fault of ours: the others are graded all the same.
            log.error("Grading %s failed", path, exc_info=outcome)
            why = f"Ripeline failed on it: {outcome!r}"
        return failed(path, why, self._version)
