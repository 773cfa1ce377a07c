"""The finished table as one file: Parquet or CSV, by its name."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from api.bulk.errors import BadOutputError

WRITERS = {".parquet": pq.ParquetWriter, ".csv": pyarrow.csv.CSVWriter}


def check_name(out: Path) -> None:
    """Raises BadOutputError for what is neither Parquet nor CSV."""
    if out.suffix not in WRITERS:
        raise BadOutputError(
            f"{out} is neither Parquet nor CSV. Name a file that ends in {' or '.join(WRITERS)}."
        )


def write(out: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write the tables one after the other; `out` is there whole or not at all. Raises OSError."""
    with _whole(out) as temporary, WRITERS[out.suffix](temporary, schema) as writer:
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
