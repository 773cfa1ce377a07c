"""Class folders: verify and describe every file, group copies, and assign splits.

The result is kept in an index: a CSV next to the photos, one row for each file. Folders named
`train`, `val` or `test` are recorded as the supplied split, which is only used to measure its
leakage and to compare with published results.
"""

import csv
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path, PurePosixPath

import numpy as np
from pydantic import TypeAdapter, ValidationError

from api.core.errors import ProblemError
from api.core.imaging.decode import decode
from api.core.imaging.hashing import content_hash, perceptual_hash
from api.core.labels import normalise_class_name
from api.core.layout import Layout, Skipped, class_folder, source_of, supplied_split
from api.core.near_duplicates import group_near_duplicates
from api.core.progress import Progress, silent
from api.core.splits import Split, split_of


@dataclass(frozen=True)
class PhotoFile:
    """One verified file of a class folder.

    `path` is relative to the dataset root. `photograph` names the group of copies that the file
    belongs to, `signature` is the perceptual hash in hexadecimal.
    """

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
        """The source that the folders name; may be empty."""
        return source_of(PurePosixPath(self.path))


@dataclass(frozen=True)
class Listing:
    """The verified files of a dataset, and the skipped ones."""

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

    Damaged files, and exact duplicates within a class, are skipped with a reason. `known` are rows
    of an earlier index: a file of the same path and size is not read again, and photographs keep
    their names and therefore their splits.
    """
    earlier = {row.path: row for row in known}
    classes = {row.class_name for row in known}
    skipped = list(layout.skipped)
    first_of: dict[tuple[str, str], str] = {}

    def describe(path: Path) -> PhotoFile | Skipped:
        relative = path.relative_to(layout.root).as_posix()
        row = earlier.get(relative)
        if row is not None and row.bytes == path.stat().st_size:
            return row
        return _describe(path, relative, classes)

    total = len(layout.class_files)
    rows: list[PhotoFile] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, row in enumerate(pool.map(describe, layout.class_files), start=1):
            progress("Reading photos", done, total)
            if isinstance(row, Skipped):
                skipped.append(row)
            else:
                rows.append(row)
    # Of two equal files keep the one in the earlier index, so that its photograph stays too.
    for row in sorted(rows, key=lambda row: row.path not in earlier):
        twin = first_of.setdefault((row.class_name, row.sha256), row.path)
        if twin != row.path:
            skipped.append(Skipped(row.path, f"the same file as {twin}"))
    skipped_paths = {item.path for item in skipped}
    kept = [row for row in rows if row.path not in skipped_paths]
    return Listing(layout.root, tuple(_group(kept, earlier)), tuple(skipped))


@dataclass(frozen=True)
class SplitLeakage:
    """Leakage of the supplied split: photographs with a copy on both sides.

    `photographs` and `files` count the test side, `leaked_files` the test files with a copy in
    train. `pairs` has a test file and a train file of each leaked photograph.
    """

    photographs: int
    files: int
    leaked_files: int
    pairs: tuple[tuple[PhotoFile, PhotoFile], ...]


def find_leakage(files: Iterable[PhotoFile]) -> SplitLeakage | None:
    """Compare both sides of the supplied split; None if there is none."""
    sides: dict[str, dict[str, list[PhotoFile]]] = {"train": {}, "test": {}}
    for file in sorted(files, key=lambda file: file.path):
        if file.supplied_split in sides:
            sides[file.supplied_split].setdefault(file.photograph, []).append(file)
    train, test = sides["train"], sides["test"]
    if not train or not test:
        return None
    leaked = sorted(train.keys() & test.keys())
    return SplitLeakage(
        photographs=len(test),
        files=sum(map(len, test.values())),
        leaked_files=sum(len(test[name]) for name in leaked),
        pairs=tuple((test[name][0], train[name][0]) for name in leaked),
    )


def _describe(path: Path, relative: str, classes: Collection[str]) -> PhotoFile | Skipped:
    data = path.read_bytes()
    folders = PurePosixPath(relative).parts[:-1]
    try:
        photograph = decode(data)
        class_name = normalise_class_name(class_folder(folders, classes))
    except ProblemError as error:
        return Skipped(relative, error.detail)
    except ValueError as error:
        return Skipped(relative, str(error))
    return PhotoFile(
        path=relative,
        class_name=class_name,
        supplied_split=supplied_split(folders),
        photograph="",
        split="train",
        width=photograph.width,
        height=photograph.height,
        bytes=len(data),
        sha256=content_hash(data),
        signature=perceptual_hash(photograph.image).tobytes().hex(),
    )


def _group(files: Sequence[PhotoFile], earlier: Mapping[str, PhotoFile]) -> list[PhotoFile]:
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
    """A row of the index is invalid."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(
            f"{path} cannot be read, from line {line} on or soon after. Restore the file from a "
            "backup; or delete it and import again: then photographs may change between training "
            "and test."
        )


def write_index(files: Iterable[PhotoFile], path: Path) -> None:
    """Write the index atomically."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(PhotoFile)])
        writer.writeheader()
        writer.writerows(asdict(file) for file in files)
    temporary.replace(path)


def read_index(path: Path) -> tuple[PhotoFile, ...]:
    """Read the index; empty if there is no file. Raises DamagedIndexError."""
    if not path.exists():
        return ()
    with path.open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream)
        try:
            return tuple(_ROW.validate_python(row) for row in rows)
        except (ValidationError, UnicodeDecodeError, csv.Error):
            raise DamagedIndexError(path, max(rows.line_num, 1)) from None
