"""Grades photos in one process, with the predictor that serves: paths in, rows out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa

from api.catalog.archive import FileTooLargeError
from api.commands.bulk.instance_table import COLUMN, instance_values, with_instances
from api.commands.bulk.output import error_row, grade_row, schema
from api.commands.bulk.source import Source
from api.core.errors import ProblemError
from api.core.freshness_levels import LevelThresholds
from api.model.grade import Grade
from api.model.instances import NoDetectorError, grade_instances
from api.model.package import Package
from api.model.predictor import MAX_BATCH, Predictor, PredictRequest
from api.settings import EngineName

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Thresholds:
    """Freshness thresholds: `shared` None means the package's own; `by_fruit` overrides them for
    single fruits.
    """

    shared: LevelThresholds | None = None
    by_fruit: Mapping[str, LevelThresholds] = field(default_factory=dict)

    def __str__(self) -> str:
        """In words; a job is only resumed if they are the same."""
        shared = _in_words(self.shared) if self.shared else "the model's own"
        fruits = (f"{fruit}: {_in_words(one)}" for fruit, one in sorted(self.by_fruit.items()))
        return "; ".join([shared, *fruits])


@dataclass(frozen=True)
class ScoringJob:
    """What is graded and how; sent to every process and cluster node.

    `max_bytes` and `max_pixels` limit a photo.
    With `instances` each fruit of a photo is graded too. `engine` runs the model.
    Raises NoDetectorError if the package cannot.
    """

    package: Package
    address: str
    max_bytes: int
    max_pixels: int
    thresholds: Thresholds = Thresholds()
    instances: bool = False
    engine: EngineName = "litert"

    def __post_init__(self) -> None:
        if self.instances and self.package.detector is None:
            raise NoDetectorError(
                f"Version {self.package.manifest.version} cannot find single fruits, since its "
                "package has no detector. Leave out --instances, or name another --model."
            )

    @property
    def schema(self) -> pa.Schema:
        """The schema of graded rows, with the fruits of each photo nested in its row."""
        return with_instances(self.photo_schema) if self.instances else self.photo_schema

    @property
    def photo_schema(self) -> pa.Schema:
        """The schema of the first table."""
        return schema(self.package.manifest.classes)

    def source(self) -> Source:
        return Source(self.address, self.max_bytes)


def _in_words(thresholds: LevelThresholds) -> str:
    return f"rotten below {thresholds.rotten_below}, fresh from {thresholds.fresh_from}"


class Grader:
    """One network on one core. Raises ValueError or RuntimeError for a broken model."""

    def __init__(self, job: ScoringJob) -> None:
        self._job = job
        self._source = job.source()
        self._version = job.package.manifest.version
        predictor = Predictor.of_package(job.package, job.max_pixels, 1, job.engine)
        self._predictor = predictor.with_thresholds(job.thresholds.shared, job.thresholds.by_fruit)

    def __call__(self, paths: Sequence[str]) -> pa.Table:
        """One row per path, in order. Raises SourceError if the store is unavailable."""
        rows = []
        requests = zip(paths, map(self._request, self._source.read(paths)), strict=True)
        while batch := list(islice(requests, MAX_BATCH)):
            results = self._predict([request for _, request in batch])
            for (path, _), result in zip(batch, results, strict=True):
                rows.append(self._row(path, result))
        return pa.Table.from_pylist(rows, schema=self._job.schema)

    def _predict(self, requests: list[PredictRequest | Exception]) -> list[Grade | Exception]:
        if self._job.instances:
            return grade_instances(self._predictor, requests)
        return self._predictor.predict_batch(requests)

    def _request(self, data: bytes | OSError) -> PredictRequest | Exception:
        if isinstance(data, OSError):
            return data
        if len(data) > self._job.max_bytes:
            return FileTooLargeError(self._job.max_bytes)
        return PredictRequest(data, instances=self._job.instances)

    def _row(self, path: str, result: Grade | Exception) -> dict[str, Any]:
        if isinstance(result, Grade):
            row = grade_row(path, result, self._version)
            if result.instances is not None:
                row[COLUMN] = instance_values(result.instances)
            return row
        if isinstance(result, ProblemError):
            error = result.detail
        elif isinstance(result, OSError):
            error = f"The file cannot be read: {result.strerror or result}."
        else:  # A bug of ours must not cost the other rows.
            log.error("Grading %s failed", path, exc_info=result)
            error = f"Ripeline failed on it: {result!r}"
        return error_row(path, error, self._version)
