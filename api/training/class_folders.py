"""Class folders: every file verified, described and given its photograph and split, and the index
that keeps this: one row a file, as CSV next to the photographs.

`train` and `test` folders above classes are noted as the supplied split, and not otherwise used.
"""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path, PurePosixPath

import numpy as np
from pydantic import TypeAdapter, ValidationError

from api.core.errors import ProblemError
from api.core.imaging.decode import decode
from api.core.imaging.hashing import content_hash, perceptual_hash
from api.core.labels import normalise_class_name
from api.core.layout import SUPPLIED_SPLITS, Layout, Skipped, source_of
from api.core.near_duplicates import group_near_duplicates
from api.core.progress import Progress, silent
from api.core.splits import Split, split_of


@dataclass(frozen=True)
class PhotoFile:
    """One verified file of a class folder. `path` is relative to the root of its set."""

    path: str
    class_name: str
    supplied_split: str
    photograph: str
    split: Split
    width: int
    height: int
    bytes: int
    sha256: str
    signature: str

    @property
    def source(self) -> str:
        """Where the photograph comes from, as the folders say; perhaps empty."""
        return source_of(PurePosixPath(self.path))


@dataclass(frozen=True)
class Listing:
    """The verified files of a set and what was left out."""

    root: Path
    files: tuple[PhotoFile, ...]
    skipped: tuple[Skipped, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({file.class_name for file in self.files}))


def read_class_folders(
    layout: Layout, known: Sequence[PhotoFile] = (), progress: Progress = silent
) -> Listing:
    """Verify and describe every file of the class folders.

    A file that is damaged, or equal to another byte for byte in the same class, is left out with
    the reason. `known` are rows of an earlier reading: a file of the same path and length is not
    read again, and photographs keep their names and so their split.
    """
    earlier = {row.path: row for row in known}
    skipped = list(layout.skipped)
    first_of: dict[tuple[str, str], str] = {}

    def describe(path: Path) -> PhotoFile | Skipped:
        relative = path.relative_to(layout.root).as_posix()
        row = earlier.get(relative)
        if row is not None and row.bytes == path.stat().st_size:
            return row
        return _describe(path, relative)

    total = len(layout.class_files)
    rows: list[PhotoFile] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, row in enumerate(pool.map(describe, layout.class_files), start=1):
            progress("Reading photographs", done, total)
            if isinstance(row, Skipped):
                skipped.append(row)
            else:
                rows.append(row)
    # Of two equal files the one that is known stays, so that its photograph does.
    for row in sorted(rows, key=lambda row: row.path not in earlier):
        twin = first_of.setdefault((row.class_name, row.sha256), row.path)
        if twin != row.path:
            skipped.append(Skipped(row.path, f"the same file as {twin}"))
    left_out = {item.path for item in skipped}
    kept = [row for row in rows if row.path not in left_out]
    return Listing(layout.root, tuple(_grouped(kept, earlier)), tuple(skipped))


def _describe(path: Path, relative: str) -> PhotoFile | Skipped:
    data = path.read_bytes()
    try:
        photograph = decode(data)
        class_name = normalise_class_name(path.parent.name)
    except ProblemError as error:
        return Skipped(relative, error.detail)
    except ValueError as error:
        return Skipped(relative, str(error))
    supplied = [
        SUPPLIED_SPLITS[part.lower()]
        for part in Path(relative).parts[:-2]
        if part.lower() in SUPPLIED_SPLITS
    ]
    return PhotoFile(
        path=relative,
        class_name=class_name,
        supplied_split=supplied[-1] if supplied else "",
        photograph="",
        split="train",
        width=photograph.width,
        height=photograph.height,
        bytes=len(data),
        sha256=content_hash(data),
        signature=perceptual_hash(photograph.image).tobytes().hex(),
    )


def _grouped(files: Sequence[PhotoFile], earlier: Mapping[str, PhotoFile]) -> list[PhotoFile]:
    if not files:
        return []
    photographs = group_near_duplicates(
        [file.path for file in files],
        [file.class_name for file in files],
        np.stack([np.frombuffer(bytes.fromhex(file.signature), np.uint8) for file in files]),
        {path: row.photograph for path, row in earlier.items() if row.photograph},
    )
    return [
        replace(file, photograph=photograph, split=split_of(photograph))
        for file, photograph in zip(files, photographs, strict=True)
    ]


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
