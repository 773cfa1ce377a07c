"""The table that bulk scoring writes, as one file: Parquet or CSV, by its name.

A row for each photograph, in the order of paths:

| column | what it is |
| --- | --- |
| `path` | below the folder or bucket, with `/` |
| `class`, `confidence` | the most probable class and its calibrated probability, 0 to 1 |
| `freshness`, `freshness_score` | `fresh` or `rotten`; 0 (rotten) to 1 (fresh) |
| `freshness_level` | `fresh`, `past_best` or `rotten` |
| `recognised` | false for what is none of the known classes |
| `error` | why there is no grade, where there is none; then all of the above but `path` is empty |
| `model_version` | the version that graded |
| `probability_<class>` | the calibrated probability of each class |
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from api.core.errors import ProblemError
from api.model.predictor import Grade

WRITERS = {".parquet": pq.ParquetWriter, ".csv": pyarrow.csv.CSVWriter}


class BadOutputError(ProblemError):
    code = "bad-output"


def schema(classes: Sequence[str]) -> pa.Schema:
    """Columns and types. Probabilities are float32, as the grader gives them."""
    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            pa.field("class", pa.string()),
            pa.field("confidence", pa.float32()),
            pa.field("freshness", pa.string()),
            pa.field("freshness_score", pa.float32()),
            pa.field("freshness_level", pa.string()),
            pa.field("recognised", pa.bool_()),
            pa.field("error", pa.string()),
            pa.field("model_version", pa.string(), nullable=False),
            *(pa.field(f"probability_{name}", pa.float32()) for name in classes),
        ]
    )


def graded(path: str, grade: Grade, version: str) -> dict[str, Any]:
    return {
        "path": shown(path),
        "class": grade.class_name,
        "confidence": grade.confidence,
        "freshness": grade.freshness,
        "freshness_score": grade.freshness_score,
        "freshness_level": grade.freshness_level,
        "recognised": grade.recognised,
        "model_version": version,
        **{f"probability_{name}": share for name, share in grade.probabilities.items()},
    }


def failed(path: str, error: str, version: str) -> dict[str, Any]:
    """The row of a photograph that could not be graded."""
    return {"path": shown(path), "error": error, "model_version": version}


def shown(path: str) -> str:
    """The path as text: a name that is no UTF-8 has its bytes written out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def check_name(out: Path) -> None:
    """Raises BadOutputError for what is neither Parquet nor CSV."""
    if out.suffix not in WRITERS:
        raise BadOutputError(
            f"{out} is neither Parquet nor CSV. Name a file that ends in {' or '.join(WRITERS)}."
        )


def write(out: Path, columns: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write the tables one after the other; `out` is there whole or not at all. Raises OSError."""
    with _whole(out) as temporary, WRITERS[out.suffix](temporary, columns) as writer:
        for table in tables:
            writer.write_table(table)


@contextmanager
def _whole(out: Path) -> Iterator[Any]:
    temporary = out.with_name(f".{out.name}.writing")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
