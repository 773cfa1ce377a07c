"""Grading in one process: paths in, rows out, with the same runtime that serves."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from api.bulk.rows import failed, graded, schema
from api.bulk.source import Source
from api.dataset.errors import FileTooLargeError
from api.errors import ProblemError
from api.predict.runtime import Runtime
from api.registry.package import Package

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What every process needs to know, on whatever machine it is."""

    package: Package
    address: str
    max_bytes: int
    max_pixels: int

    @property
    def schema(self) -> pa.Schema:
        return schema(self.package.manifest.classes)

    def source(self) -> Source:
        return Source(self.address, self.max_bytes)


class Grader:
    """One interpreter on one core. Raises ValueError or RuntimeError for a graph that is none."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._source = work.source()
        self._version = work.package.manifest.version
        self._runtime = Runtime.of_package(work.package, work.max_pixels, threads=1)

    def __call__(self, paths: Sequence[str]) -> pa.Table:
        """A row for each path, in order. Raises SourceError where the store is away."""
        rows = []
        for path, data in zip(paths, self._source.read(paths), strict=True):
            try:
                if isinstance(data, OSError):
                    raise data
                if len(data) > self._work.max_bytes:
                    raise FileTooLargeError(self._work.max_bytes)
                rows.append(graded(path, self._runtime.grade(data), self._version))
            except ProblemError as error:
                rows.append(failed(path, error.detail, self._version))
            except OSError as error:
                why = f"The file cannot be read: {error.strerror or error}."
                rows.append(failed(path, why, self._version))
            except Exception as error:  # A fault of ours: the others are graded all the same.
                log.exception("Grading %s failed", path)
                rows.append(failed(path, f"Ripeline failed on it: {error!r}", self._version))
        return pa.Table.from_pylist(rows, schema=self._work.schema)
