"""The table that bulk scoring writes: one Parquet or CSV file, by its extension. With
`instances` there is a second one (`instance_table`).

One row per photo, in the order of paths:

| column | content |
| --- | --- |
| `path` | in the folder or bucket, with `/`; in CSV preceded by `'` if it would be a formula |
| `class`, `confidence` | the most probable class and its calibrated probability, 0 to 1 |
| `freshness`, `freshness_score` | `fresh` or `rotten`; 0 (rotten) to 1 (fresh) |
| `freshness_level` | `fresh`, `past_best` or `rotten` |
| `recognised` | false if the photo shows none of the known classes |
| `error` | why there is no grade; then all of the above but `path` is empty |
| `model_version` | the version that graded |
| `probability_<class>` | the calibrated probability of each class |

CSV is for people and spreadsheets: it begins with a byte order mark, no cell is a formula, a photo
that was not recognised has no class, and three columns come first:

| column | content |
| --- | --- |
| `row` | from 1 |
| `grade` | as in the app: `Fresh apple`, `Apple, past its best`, `Not known` |
| `confidence_percent` | `97.3 %` |
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from api.core.errors import ProblemError
from api.core.formatting import FORMULA_START, FORMULA_WITHIN, percent
from api.core.labels import read_label
from api.model.grade import FruitGrade, Grade
from api.storage.blobs import atomic_write

GRADE_FIELDS = (
    pa.field("class", pa.string()),
    pa.field("confidence", pa.float32()),
    pa.field("freshness", pa.string()),
    pa.field("freshness_score", pa.float32()),
    pa.field("freshness_level", pa.string()),
    pa.field("recognised", pa.bool_()),
)
# Without it, spreadsheets read a CSV in their local code page. Programs that do not know it see it
# as part of the first column's name.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FOR_PEOPLE = [
    pa.field("row", pa.int64(), nullable=False),
    pa.field("grade", pa.string()),
    pa.field("confidence_percent", pa.string()),
]
# Left empty for a photo that was not recognised, so that no spreadsheet counts it as fruit.
_OF_A_CLASS = ("class", "fruit", "freshness", "freshness_score", "freshness_level")
WRITERS = {".parquet": pq.ParquetWriter, ".csv": pyarrow.csv.CSVWriter}


class BadOutputError(ProblemError):
    code = "bad-output"


def schema(classes: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            *GRADE_FIELDS,
            pa.field("error", pa.string()),
            pa.field("model_version", pa.string(), nullable=False),
            *probability_fields(classes),
        ]
    )


def probability_fields(classes: Sequence[str]) -> list[pa.Field]:
    return [pa.field(f"probability_{name}", pa.float32()) for name in classes]


def grade_row(path: str, grade: Grade, version: str) -> dict[str, Any]:
    return {"path": printable(path), "model_version": version, **grade_columns(grade)}


def grade_columns(grade: FruitGrade) -> dict[str, Any]:
    return {
        "class": grade.class_name,
        "confidence": grade.confidence,
        "freshness": grade.freshness,
        "freshness_score": grade.freshness_score,
        "freshness_level": grade.freshness_level,
        "recognised": grade.recognised,
        **{f"probability_{name}": value for name, value in grade.probabilities.items()},
    }


def error_row(path: str, error: str, version: str) -> dict[str, Any]:
    """The row of a photo that could not be graded."""
    return {"path": printable(path), "error": error, "model_version": version}


def printable(path: str) -> str:
    """The path as text; bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def check_format(out: Path) -> None:
    """Raises BadOutputError for an extension other than those of Parquet and CSV."""
    if out.suffix not in WRITERS:
        raise BadOutputError(
            f"{out} is neither Parquet nor CSV. Name a file that ends in {' or '.join(WRITERS)}."
        )


def write_table(out: Path, columns: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write the tables one after the other, atomically and to disk. Raises OSError."""
    temporary = out.with_name(f".{out.name}.writing")
    with atomic_write(out, temporary) as stream:
        if out.suffix == ".csv":
            stream.write(_BYTE_ORDER_MARK)
            columns = pa.schema([*_FOR_PEOPLE, *columns])
            tables = _for_people(tables)
        with WRITERS[out.suffix](stream, columns) as writer:
            for table in tables:
                writer.write_table(table)


def _for_people(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The tables as CSV has them."""
    numbers = count(1)
    for table in tables:
        rows = table.to_pylist()
        cells = (
            [next(numbers) for _ in rows],
            [_grade_words(row) for row in rows],
            [None if row["class"] is None else percent(row["confidence"]) for row in rows],
        )
        added = [pa.array(cell, field.type) for cell, field in zip(cells, _FOR_PEOPLE, strict=True)]
        shown = _without_formulas(_without_unknown_classes(table))
        yield pa.table([*added, *shown.columns], pa.schema([*_FOR_PEOPLE, *table.schema]))


def _grade_words(row: dict[str, Any]) -> str | None:
    """The grade in words, as in the app's table."""
    if row["class"] is None:
        return None
    if not row["recognised"]:
        return "Not known"
    label = read_label(row["class"])
    is_past_best = label.freshness == "fresh" and row["freshness_level"] == "past_best"
    words = f"{label.fruit}, past its best" if is_past_best else label.words
    return words[:1].upper() + words[1:]


def _without_unknown_classes(table: pa.Table) -> pa.Table:
    for name in set(_OF_A_CLASS).intersection(table.column_names):
        index = table.schema.get_field_index(name)
        none = pa.scalar(None, table.schema.field(index).type)
        known = pc.if_else(table["recognised"], table[name], none)
        table = table.set_column(index, table.schema.field(index), known)
    return table


def _without_formulas(table: pa.Table) -> pa.Table:
    """Escape texts from outside, so that no spreadsheet runs them as formulas."""
    for name in {"path", "error"}.intersection(table.column_names):
        index = table.schema.get_field_index(name)
        safe = pc.replace_substring_regex(table[name], FORMULA_START, r"'\1")
        safe = pc.replace_substring_regex(safe, FORMULA_WITHIN, r"\1'\2")
        table = table.set_column(index, table.schema.field(index), safe)
    return table
