"""A scoring job in this process: rows, resuming, errors."""

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from api.commands.bulk.grader import Grader, Thresholds
from api.commands.bulk.output import BadOutputError, error_row, schema, write_table
from api.commands.bulk.score import BusyError, GradeBatches, NoPhotographsError, parts_folder, score
from api.core.freshness_levels import LevelThresholds
from api.model.predictor import Predictor
from tests.commands.bulk.photographs import (
    ERRORS,
    PACKAGE,
    PATHS,
    contents,
    job_for,
    put,
)

# Columns that are empty in the CSV for an unrecognised photo.
OF_A_CLASS = ("class", "freshness", "freshness_score", "freshness_level")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(put(str(tmp_path / "photographs"), contents()))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "predictions.parquet"


def grade_in_process(folder: str | Path) -> GradeBatches:
    """Grade in this process."""
    grader = Grader(job_for(folder))

    def grade(batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        return map(grader, batches)

    return grade


def test_rows_match_single_predictions(folder: Path, out: Path) -> None:
    report = score(job_for(folder), out, grade_in_process(folder))
    assert (report.photographs, report.errors, report.resumed) == (len(PATHS), len(ERRORS), 0)
    runtime, files = Predictor.of_package(PACKAGE), contents()
    rows = pq.read_table(out).to_pylist()
    assert [row["path"] for row in rows] == PATHS
    for row in rows:
        assert row["model_version"] == PACKAGE.manifest.version
        if row["path"] in ERRORS:
            assert ERRORS[row["path"]] in row["error"]
            present = {name for name, value in row.items() if value is not None}
            assert present == {"path", "error", "model_version"}
            continue
        grade = runtime.predict(files[row["path"]])
        assert row["error"] is None
        assert (row["class"], row["freshness"]) == (grade.class_name, grade.freshness)
        assert row["freshness_level"] == grade.freshness_level
        assert row["recognised"] == grade.recognised
        assert row["confidence"] == np.float32(grade.confidence)
        assert row["freshness_score"] == np.float32(grade.freshness_score)
        for name, share in grade.probabilities.items():
            assert row[f"probability_{name}"] == np.float32(share)
    assert list(out.parent.iterdir()) == [out]


def test_csv_and_parquet_are_equal(folder: Path, out: Path) -> None:
    as_csv = out.with_suffix(".csv")
    for path in (out, as_csv):
        score(job_for(folder), path, grade_in_process(folder), rows_per_part=4)
    table = pq.read_table(out)
    options = pyarrow.csv.ConvertOptions(
        include_columns=table.schema.names,
        column_types=table.schema,
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    expected = table.to_pylist()
    unknown = [row for row in expected if row["recognised"] is False]
    assert 0 < len(unknown) < len(expected)
    for row in unknown:
        row.update(dict.fromkeys(OF_A_CLASS))
    read = pyarrow.csv.read_csv(as_csv, convert_options=options).cast(table.schema)
    assert read.equals(pa.Table.from_pylist(expected, table.schema))


def test_csv_is_for_people(folder: Path, out: Path) -> None:
    as_csv = out.with_suffix(".csv")
    for path in (out, as_csv):
        score(job_for(folder), path, grade_in_process(folder), rows_per_part=4)
    assert as_csv.read_bytes().startswith(b"\xef\xbb\xbf")
    with as_csv.open(newline="", encoding="utf-8-sig") as stream:
        shown = list(csv.DictReader(stream))
    graded = pq.read_table(out).to_pylist()
    assert [row["row"] for row in shown] == [str(number + 1) for number in range(len(PATHS))]
    assert [row["path"] for row in shown] == PATHS
    assert "ä/Äpfel 1.jpg" in PATHS
    for row, raw in zip(shown, graded, strict=True):
        if raw["error"]:
            assert (row["grade"], row["confidence_percent"]) == ("", "")
            continue
        assert row["confidence_percent"] == f"{100 * raw['confidence']:.1f} %"
        if not raw["recognised"]:
            assert (row["grade"], row["class"]) == ("Not known", "")
            continue
        past_best = raw["freshness_level"] == "past_best" and raw["freshness"] == "fresh"
        assert ("past its best" in row["grade"]) == past_best
        assert row["grade"][0].isupper()
        assert row["class"] == raw["class"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Fresh apple"),
        ({"freshness_level": "past_best"}, "Apple, past its best"),
        ({"class": "rottenbanana", "freshness": "rotten"}, "Rotten banana"),
        ({"class": "dragon_fruit", "freshness_level": None}, "Dragon fruit"),
        ({"recognised": False}, "Not known"),
        ({"class": None, "recognised": None, "error": "damaged"}, ""),
    ],
)
def test_grades_in_words(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    raw = {"path": "a.jpg", "class": "freshapples", "confidence": 0.973, "recognised": True}
    raw |= {"freshness": "fresh", "freshness_level": "fresh", "model_version": "v1", **changes}
    columns = schema(["freshapples"])
    write_table(tmp_path / "out.csv", columns, [pa.Table.from_pylist([raw], columns)])
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8-sig") as stream:
        [row] = csv.DictReader(stream)
    assert row["grade"] == words
    if not raw["recognised"]:
        assert {row[name] for name in OF_A_CLASS} == {""}


def test_thresholds_of_the_job_decide_the_levels(folder: Path, out: Path) -> None:
    job = replace(job_for(folder), thresholds=Thresholds(LevelThresholds(1e-9, 1 - 1e-9)))
    grader = Grader(job)
    score(job, out, lambda batches: map(grader, batches))
    rows = [row for row in pq.read_table(out).to_pylist() if row["error"] is None]
    assert {row["freshness_level"] for row in rows} == {"past_best"}
    assert {row["freshness"] for row in rows} == {"fresh", "rotten"}


def test_empty_folder_leaves_nothing_behind(tmp_path: Path, out: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoPhotographsError, match=r"no photograph in .*empty"):
        score(job_for(tmp_path / "empty"), out, grade_in_process(tmp_path))
    assert list(out.parent.iterdir()) == []


def test_bad_output_fails_before_grading(folder: Path, tmp_path: Path) -> None:
    def fail_if_called(batches: Iterable[Sequence[str]]) -> Iterator[pa.Table]:
        raise AssertionError

    with pytest.raises(BadOutputError, match=r"neither Parquet nor CSV"):
        score(job_for(folder), tmp_path / "out.xlsx", fail_if_called)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(BadOutputError, match="Not a directory"):
        score(job_for(folder), tmp_path / "file" / "out.csv", fail_if_called)
    (tmp_path / "there.csv").write_bytes(b"x")
    with pytest.raises(BadOutputError, match="already exists"):
        score(job_for(folder), tmp_path / "there.csv", fail_if_called)
    parts_folder(tmp_path / "busy.csv").mkdir()
    with (
        FileLock(parts_folder(tmp_path / "busy.csv") / ".lock"),
        pytest.raises(BusyError, match="Another process"),
    ):
        score(job_for(folder), tmp_path / "busy.csv", fail_if_called)


def test_non_utf_8_file_names_are_escaped(tmp_path: Path, out: Path) -> None:
    files = {"caf\udce9.jpg": contents()["B.JPG"], 'quote " and\nline.jpg': contents()["B.JPG"]}
    for name, data in files.items():
        (tmp_path / os.fsencode(name).decode("utf-8", "surrogateescape")).write_bytes(data)
    as_csv = out.with_suffix(".csv")
    for path in (out, as_csv):
        assert score(job_for(tmp_path), path, grade_in_process(tmp_path)).errors == 0
    names = ["caf\\xe9.jpg", 'quote " and\nline.jpg']
    assert pq.read_table(out)["path"].to_pylist() == names
    lines = pyarrow.csv.ParseOptions(newlines_in_values=True)
    assert pyarrow.csv.read_csv(as_csv, parse_options=lines)["path"].to_pylist() == names


def test_csv_runs_no_formula_of_a_file_name(tmp_path: Path) -> None:
    names = ["=cmd|' /C calc'!A0.jpg", "+1.jpg", "-1.jpg", "@x.jpg", "\tx.jpg"]
    within = {
        "a;=1+1;b.jpg": "a;'=1+1;b.jpg",
        'a,"-1\n@b.jpg': "a,\"'-1\n'@b.jpg",
        "\t=1": "'\t'=1",
    }
    safe = [f"'{name}" for name in names] + list(within.values()) + ["a=1, b; c - d.jpg"]
    names += [*within, safe[-1]]
    rows = [error_row(name, f"{name}: no photo", "v1") for name in names]
    columns = schema(["freshapples"])
    tables = [pa.Table.from_pylist(rows, columns)]
    write_table(tmp_path / "out.csv", columns, tables)
    write_table(tmp_path / "out.parquet", columns, tables)
    with (tmp_path / "out.csv").open(newline="") as stream:
        written = list(csv.DictReader(stream))
    assert [row["path"] for row in written] == safe
    assert [row["error"] for row in written] == [f"{name}: no photo" for name in safe]
    assert pq.read_table(tmp_path / "out.parquet")["path"].to_pylist() == names
