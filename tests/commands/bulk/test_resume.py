"""An interrupted scoring job resumes where it stopped if it is still the same job."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from api.commands.bulk.grader import Thresholds
from api.commands.bulk.resumable_job import OtherJobError
from api.commands.bulk.score import GradeBatches, parts_folder, score
from api.commands.bulk.source import SourceError
from api.core.freshness_levels import LevelThresholds
from tests.commands.bulk.photographs import (
    PACKAGE,
    PATHS,
    job_for,
    parts_done,
)
from tests.commands.bulk.test_score import folder as folder  # noqa: PLC0414 - a fixture
from tests.commands.bulk.test_score import grade_in_process
from tests.commands.bulk.test_score import out as out  # noqa: PLC0414 - a fixture


def interrupted_after(folder: Path, after: int) -> GradeBatches:
    """Grade in this process, and raise KeyboardInterrupt after `after` photos."""
    graded = grade_in_process(folder)

    def grade(batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        single = ([path] for batch in batches for path in batch)
        for count, table in enumerate(graded(single)):
            if count == after:
                raise KeyboardInterrupt
            yield table

    return grade


@pytest.mark.parametrize("after", [0, 1, 4, 8])
def test_killed_job_resumes(folder: Path, out: Path, after: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        score(job_for(folder), out, interrupted_after(folder, after), rows_per_part=2)
    assert not out.exists()
    done = parts_done(out) * 2
    assert done == after - after % 2
    graded_paths: list[str] = []
    grade_here = grade_in_process(folder)

    def record_paths(batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        for batch in batches:
            graded_paths.extend(batch)
            yield from grade_here([batch])

    report = score(job_for(folder), out, record_paths, rows_per_part=7)
    assert graded_paths == PATHS[done:]
    assert report.resumed == done
    uninterrupted = out.with_name("whole.parquet")
    score(job_for(folder), uninterrupted, grade_in_process(folder), rows_per_part=2)
    assert out.read_bytes() == uninterrupted.read_bytes()


def test_resumed_job_keeps_its_list_of_photos(folder: Path, out: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        score(job_for(folder), out, interrupted_after(folder, 5), rows_per_part=2)
    (folder / "A.jpg").write_bytes(b"new")
    (folder / "a/large.bmp").unlink()
    score(job_for(folder), out, grade_in_process(folder))
    rows = pq.read_table(out).to_pylist()
    assert [row["path"] for row in rows] == PATHS
    assert "cannot be read" in rows[PATHS.index("a/large.bmp")]["error"]


def test_kill_before_the_parts_are_removed(folder: Path, out: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        score(job_for(folder), out, interrupted_after(folder, 8), rows_per_part=2)
    out.write_bytes(b"what the killed command had just written")
    score(job_for(folder), out, grade_in_process(folder))
    assert pq.read_table(out).num_rows == len(PATHS)
    assert not parts_folder(out).exists()


def test_kill_while_the_parts_are_removed(folder: Path, out: Path) -> None:
    """The parts that are left are of the finished job: none of them is a part of the next one."""
    with pytest.raises(KeyboardInterrupt):
        score(job_for(folder), out, interrupted_after(folder, 8), rows_per_part=2)
    (parts_folder(out) / "job.json").unlink()
    (folder / PATHS[0]).unlink()
    report = score(job_for(folder), out, grade_in_process(folder), rows_per_part=2)
    assert report.resumed == 0
    assert [row["path"] for row in pq.read_table(out).to_pylist()] == PATHS[1:]


def test_table_is_durable_before_its_parts_are_removed(
    folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, rmtree = os.fsync, shutil.rmtree

    def record_sync(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == out.parent.stat().st_ino and out.exists():
            events.append("folder synced")
        fsync(descriptor)

    def record_removal(path: Path) -> None:
        events.append("parts removed")
        rmtree(path)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(shutil, "rmtree", record_removal)
    score(job_for(folder), out, grade_in_process(folder))
    assert events == ["folder synced", "parts removed"]


def test_unavailable_store_stops_the_job_without_losing_rows(folder: Path, out: Path) -> None:
    grade_here = grade_in_process(folder)

    def fail_after_four(batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        for number, batch in enumerate(batches):
            yield from grade_here([batch[:4]])
            raise SourceError.of(str(number), ConnectionError("refused"))

    with pytest.raises(SourceError):
        score(job_for(folder), out, fail_after_four, rows_per_part=4)
    assert score(job_for(folder), out, grade_in_process(folder)).resumed == 4


def test_another_model_or_folder_is_not_resumed(folder: Path, out: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        score(job_for(folder), out, interrupted_after(folder, 5), rows_per_part=2)
    manifest = PACKAGE.manifest.model_copy(update={"version": "other"})
    other = type(job_for(folder))(
        type(PACKAGE)(PACKAGE.folder, manifest, PACKAGE.backbone, PACKAGE.head),
        str(folder),
        1000,
        1000,
    )
    with pytest.raises(OtherJobError, match=r"another model: .*, not other"):
        score(other, out, grade_in_process(folder))
    with pytest.raises(OtherJobError, match="another folder of photographs"):
        score(job_for(folder / "a"), out, grade_in_process(folder))
    assert parts_done(out) == 2


@pytest.mark.parametrize("kind", ["other thresholds", "begun before there were levels"])
def test_other_thresholds_are_not_resumed(folder: Path, out: Path, kind: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        score(job_for(folder), out, interrupted_after(folder, 5), rows_per_part=2)
    again = job_for(folder)
    if kind == "other thresholds":
        again = replace(again, thresholds=Thresholds(LevelThresholds(0.3, 0.7)))
    else:
        path = parts_folder(out) / "job.json"
        old = json.loads(path.read_text())
        del old["thresholds"]
        path.write_text(json.dumps(old))
    with pytest.raises(OtherJobError, match="line between fresh and rotten"):
        score(again, out, grade_in_process(folder))
