"""The second table: a row for each fruit, beside the unchanged table of the photos."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.commands.bulk.grader import Grader, ScoringJob
from api.commands.bulk.instance_table import instances_path
from api.commands.bulk.output import BadOutputError
from api.commands.bulk.resumable_job import OtherJobError
from api.commands.bulk.score import parts_folder, score
from api.model.detector import Detector
from api.model.grade import FruitGrade, Grade
from api.model.instances import NoDetectorError, grade_instances
from api.model.predictor import HeadOutput, Predictor, PredictRequest
from tests.commands.bulk.photographs import PACKAGE, put
from tests.detectors import draw_crate, find_blobs
from tests.synthetic_images import encode

CRATES = {
    "=2+3.png": ("freshapples", "rottenbanana", "freshoranges"),
    "a/none.png": (),
    "a/one.png": ("rottenapples",),
    "b.png": ("freshbanana", "rottenoranges"),
}


@pytest.fixture(autouse=True)
def _blobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives packages a detector that finds drawn fruit."""
    monkeypatch.setattr(Detector, "of_package", lambda package, threads=0: find_blobs)


@pytest.fixture
def files() -> dict[str, bytes]:
    crates = {path: encode(draw_crate(kinds or [])) for path, kinds in CRATES.items() if kinds}
    return crates | {"a/none.png": encode(draw_crate(["freshapples"]).crop((0, 0, 9, 9)))}


@pytest.fixture
def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    return Path(put(str(tmp_path / "photographs"), files | {"broken.jpg": b"words"}))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "grades.parquet"


def job_for(folder: Path, instances: bool = True) -> ScoringJob:
    return ScoringJob(PACKAGE, str(folder), 10**6, 10**7, instances=instances)


def grade(job: ScoringJob, out: Path, rows_per_part: int = 2) -> int:
    grader = Grader(job)
    return score(job, out, lambda batches: map(grader, batches), rows_per_part=rows_per_part).fruits


def test_each_fruit_has_a_row(folder: Path, out: Path, files: dict[str, bytes]) -> None:
    assert grade(job_for(folder), out) == 6
    rows = pq.read_table(instances_path(out)).to_pylist()
    predictor = Predictor.of_package(PACKAGE)
    expected = iter(rows)
    for path in sorted(files):
        [whole] = grade_instances(predictor, [PredictRequest(files[path], instances=True)])
        assert isinstance(whole, Grade)
        assert whole.instances is not None
        assert len(whole.instances.fruits) == len(CRATES[path])
        for index, fruit in enumerate(whole.instances.fruits):
            row = next(expected)
            assert (row["path"], row["instance"]) == (path, index)
            assert (row["width"], row["height"]) == (whole.instances.width, whole.instances.height)
            corners = [row[name] for name in ("x_min", "y_min", "x_max", "y_max")]
            assert corners == list(fruit.box)
            assert row["score"] == np.float32(fruit.score)
            assert (row["class"], row["fruit"]) == (fruit.grade.class_name, fruit.grade.fruit)
            assert row["confidence"] == np.float32(fruit.grade.confidence)
            assert row["freshness_level"] == fruit.grade.freshness_level
            assert row["freshness_score"] == np.float32(fruit.grade.freshness_score)
            assert row["recognised"] == fruit.grade.recognised
            assert row["model_version"] == PACKAGE.manifest.version
            for name, value in fruit.grade.probabilities.items():
                assert row[f"probability_{name}"] == np.float32(value)
    assert next(expected, None) is None


def test_instances_do_not_change_the_table_of_photos(folder: Path, out: Path) -> None:
    plain = out.with_name("plain.parquet")
    grade(job_for(folder), out)
    assert grade(job_for(folder, instances=False), plain) == 0
    assert out.read_bytes() == plain.read_bytes()
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "grades.instances.parquet",
        "grades.parquet",
        "plain.parquet",
    ]


def test_csv_has_the_same_rows_and_runs_no_formula(folder: Path, out: Path) -> None:
    as_csv = out.with_name("grades.csv")
    grade(job_for(folder), out)
    grade(job_for(folder), as_csv)
    rows = pq.read_table(instances_path(out)).to_pylist()
    with instances_path(as_csv).open(newline="") as stream:
        written = list(csv.DictReader(stream))
    assert [row["path"] for row in written] == [
        f"'{row['path']}" if row["path"].startswith("=") else row["path"] for row in rows
    ]
    assert [int(row["x_max"]) for row in written] == [row["x_max"] for row in rows]


def test_csv_names_no_fruit_if_nothing_was_recognised(
    folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fruit_grade = Predictor.fruit_grade

    def unknown(self: Predictor, output: HeadOutput) -> FruitGrade:
        return replace(fruit_grade(self, output), recognised=False)

    monkeypatch.setattr(Predictor, "fruit_grade", unknown)
    as_csv = out.with_name("grades.csv")
    assert grade(job_for(folder), as_csv) == 6
    with instances_path(as_csv).open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["grade"] for row in rows} == {"Not known"}
    assert {row["class"] + row["fruit"] + row["freshness_level"] for row in rows} == {""}


def test_no_fruit_at_all_gives_an_empty_table(tmp_path: Path, out: Path) -> None:
    folder = Path(put(str(tmp_path / "empty"), {"broken.jpg": b"words"}))
    assert grade(job_for(folder), out) == 0
    table = pq.read_table(instances_path(out))
    assert table.num_rows == 0
    assert table.column_names[:2] == ["path", "instance"]


def test_killed_job_resumes_with_its_fruits(folder: Path, out: Path) -> None:
    job, whole = job_for(folder), out.with_name("whole.parquet")
    grader = Grader(job)

    def killed(batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        for batch in batches:
            yield grader(batch[:2])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(job, out, killed, rows_per_part=2)
    with pytest.raises(OtherJobError, match="another choice of what to grade: photos and"):
        grade(replace(job, instances=False), out)
    grade(job, out)
    grade(job, whole)
    assert instances_path(out).read_bytes() == instances_path(whole).read_bytes()
    assert out.read_bytes() == whole.read_bytes()


def test_job_of_an_earlier_release_has_no_instances(folder: Path, out: Path) -> None:
    def killed(batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(job_for(folder, instances=False), out, killed)
    spec = parts_folder(out) / "job.json"
    old = json.loads(spec.read_text())
    del old["grades"]
    spec.write_text(json.dumps(old))
    with pytest.raises(OtherJobError, match="what to grade"):
        grade(job_for(folder), out)
    grade(job_for(folder, instances=False), out)
    assert out.exists()


def test_a_second_table_that_exists_is_not_replaced(folder: Path, out: Path) -> None:
    out.parent.mkdir()
    instances_path(out).write_bytes(b"x")
    with pytest.raises(BadOutputError, match=r"grades\.instances\.parquet already exists"):
        grade(job_for(folder), out)
    grade(job_for(folder, instances=False), out)
    assert instances_path(out).read_bytes() == b"x"


def test_package_without_a_detector_is_refused(folder: Path) -> None:
    with pytest.raises(NoDetectorError, match="Leave out --instances"):
        replace(job_for(folder), package=replace(PACKAGE, detector=None))
