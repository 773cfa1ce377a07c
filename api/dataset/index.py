"""The index of an imported set: one row a file, as CSV next to the photographs."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from pydantic import TypeAdapter

from api.dataset.folder import PhotoFile

INDEX = "index.csv"
_ROW = TypeAdapter(PhotoFile)


def write_index(files: Iterable[PhotoFile], path: Path) -> None:
    """Write the rows, whole or not at all."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(PhotoFile)])
        writer.writeheader()
        writer.writerows(asdict(file) for file in files)
    temporary.replace(path)


def read_index(path: Path) -> tuple[PhotoFile, ...]:
    """Read what `write_index` wrote; nothing where there is no file."""
    if not path.exists():
        return ()
    with path.open(newline="", encoding="utf-8") as stream:
        return tuple(_ROW.validate_python(row) for row in csv.DictReader(stream))
