"""The index of an imported set: one row a file, as CSV next to the photographs."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from api.dataset.folder import PhotoFile
from api.errors import ProblemError

INDEX = "index.csv"
_ROW = TypeAdapter(PhotoFile)


class DamagedIndexError(ProblemError):
    """A row that `write_index` did not write."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(
            f"{path} cannot be read, from line {line} on or soon after. Bring the file back from a "
            "backup; or delete it and import again: then photographs may change between training "
            "and test."
        )


def write_index(files: Iterable[PhotoFile], path: Path) -> None:
    """Write the rows, whole or not at all."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(PhotoFile)])
        writer.writeheader()
        writer.writerows(asdict(file) for file in files)
    temporary.replace(path)


def read_index(path: Path) -> tuple[PhotoFile, ...]:
    """Read what `write_index` wrote; nothing where there is no file. Raises DamagedIndexError."""
    if not path.exists():
        return ()
    found: list[PhotoFile] = []
    with path.open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream)
        try:
            found.extend(_ROW.validate_python(row) for row in rows)
        except (ValidationError, UnicodeDecodeError, csv.Error):
            raise DamagedIndexError(path, max(rows.line_num, 1)) from None
    return tuple(found)
