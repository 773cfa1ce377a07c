"""Grading in several processes: order of rows, and crashes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from api.commands.bulk.grader import Grader, ScoringJob
from api.commands.bulk.source import Source
from api.commands.bulk.workers import CRASHED, WorkerCrashError, Workers
from tests.commands.bulk.photographs import PATHS, contents, job_for, put

pytestmark = pytest.mark.slow

CRASHING_PHOTO = "a/2.webp"


class CrashingSource(Source):
    """A source in which reading one photo crashes the process, as a decoder bug would."""

    def read(self, paths: Sequence[str]) -> list[bytes | OSError]:
        if CRASHING_PHOTO in paths:
            os._exit(9)
        return super().read(paths)


@dataclass(frozen=True)
class CrashingJob(ScoringJob):
    def source(self) -> Source:
        return CrashingSource(self.address, self.max_bytes)


@dataclass(frozen=True)
class CrashingAtStartJob(ScoringJob):
    def source(self) -> Source:
        os._exit(9)


@dataclass(frozen=True)
class OneThreadJob(ScoringJob):
    def source(self) -> Source:
        if [library["num_threads"] for library in threadpool_info()] != [1]:
            os._exit(9)
        return super().source()


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return put(str(tmp_path), contents())


def test_rows_of_several_processes_are_in_order(folder: str) -> None:
    batches = [PATHS[start : start + 2] for start in range(0, len(PATHS), 2)]
    with Workers(job_for(folder), 2) as workers:
        tables = list(workers.grade(batches))
    assert [table["path"].to_pylist() for table in tables] == batches
    single = Grader(job_for(folder))
    assert tables == [single(batch) for batch in batches]


def test_photo_that_crashes_its_process_gets_an_error_row(folder: str) -> None:
    plain = job_for(folder)
    crashing = CrashingJob(plain.package, plain.address, plain.max_bytes, plain.max_pixels)
    with Workers(crashing, 1) as workers:
        rows = [
            row
            for table in workers.grade([PATHS[:4], PATHS[4:5], PATHS[8:]])
            for row in table.to_pylist()
        ]
    assert [row["path"] for row in rows] == [*PATHS[:5], *PATHS[8:]]
    assert {row["path"]: row["error"] for row in rows if row["error"]} == {CRASHING_PHOTO: CRASHED}


def test_processes_use_one_blas_thread(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    plain = job_for(folder)
    one_thread = OneThreadJob(plain.package, plain.address, plain.max_bytes, plain.max_pixels)
    with Workers(one_thread, 1) as workers:
        [table] = workers.grade([PATHS[:1]])
    assert table["error"].to_pylist() == [None]


def test_workers_that_crash_at_start_are_reported(folder: str) -> None:
    plain = job_for(folder)
    crashing = CrashingAtStartJob(plain.package, plain.address, plain.max_bytes, plain.max_pixels)
    with Workers(crashing, 1) as workers, pytest.raises(WorkerCrashError, match="--processes 1"):
        list(workers.grade([PATHS[:1]]))
