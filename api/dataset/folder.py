"""Reading a folder of photographs: what is in it, and what each file is.

A folder with pictures in it is a class, named after the folder; `train` and `test` folders above
classes are noted as the supplied split. Two kinds of folder mean something else: one with a
`boxes.csv` holds boxed photographs (`boxed`), and one named `not_…` holds photographs of nothing
that should be recognised.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from api.dataset.grouping import group_photographs
from api.dataset.labels import normalise_class_name
from api.dataset.split import Split, split_of
from api.errors import ProblemError
from api.imaging.decode import EXTENSIONS, decode
from api.imaging.hashing import content_hash, signature
from api.progress import Progress, silent

BOXES = "boxes.csv"
OTHERS_PREFIX = "not_"
_SUPPLIED_SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}


class EmptyFolderError(ProblemError):
    code = "empty-folder"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No photographs found under {folder}. Name a folder that holds one folder of "
            "pictures for each class."
        )


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


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Layout:
    """Where in a folder the three kinds of photographs lie, and which files are none of them.

    Paths are those of `root` and what lies under it.
    """

    root: Path
    class_files: tuple[Path, ...]
    boxed: tuple[Path, ...]
    others: tuple[Path, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Listing:
    """The verified files of a set and what was left out."""

    root: Path
    files: tuple[PhotoFile, ...]
    skipped: tuple[Skipped, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({file.class_name for file in self.files}))


def discover(root: Path) -> Layout:
    """Look through `root` without opening a picture. Raises EmptyFolderError.

    `skipped` says what is passed over, but for hidden files, READMEs and, in `root` itself,
    whatever is no picture.
    """
    class_files: list[Path] = []
    boxed: list[Path] = []
    others: list[Path] = []
    skipped: list[Skipped] = []
    for folder, subfolders, names in os.walk(root):
        here = Path(folder)
        if BOXES in names:
            boxed.append(here)
            subfolders.clear()  # What lies below belongs to the boxed photographs.
            continue
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in subfolders:
            if (here / name).is_symlink():
                skipped.append(Skipped(_shown(here / name, root), "a link to a folder"))
        above = (root.name, *here.relative_to(root).parts)
        is_others = any(part.startswith(OTHERS_PREFIX) for part in above)
        loose = here == root and not is_others
        for path in (here / name for name in sorted(names) if not _is_aside(name)):
            if loose and not path.name.lower().endswith(EXTENSIONS):
                continue
            reason = "it lies in no class folder" if loose else _unreadable(path, root)
            if reason:
                skipped.append(Skipped(_shown(path, root), reason))
            else:
                (others if is_others else class_files).append(path)
    if not (class_files or boxed or others):
        raise EmptyFolderError(root)
    return Layout(root, tuple(class_files), tuple(boxed), tuple(others), tuple(skipped))


def _is_aside(name: str) -> bool:
    """Whether nobody would take the file for a photograph: hidden, a README, an index."""
    return name.startswith(".") or name == "index.csv" or Path(name).stem.lower() == "readme"


def _unreadable(path: Path, root: Path) -> str:
    """Why the file cannot be read as a picture; empty if it may be one."""
    if not path.name.lower().endswith(EXTENSIONS):
        return f"no picture format that is read ({' '.join(EXTENSIONS)})"
    if not path.is_file():
        return "a broken link or no ordinary file"
    if _shown(path, root) != path.relative_to(root).as_posix():
        return "its name is no valid UTF-8; rename it"
    return ""


def _shown(path: Path, root: Path) -> str:
    """The path within `root`, with escapes for what is no text."""
    return path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()


def read_class_folders(
    layout: Layout,
    known: Sequence[PhotoFile] = (),
    progress: Progress = silent,
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
        _SUPPLIED_SPLITS[part.lower()]
        for part in Path(relative).parts[:-2]
        if part.lower() in _SUPPLIED_SPLITS
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
        signature=signature(photograph.image).tobytes().hex(),
    )


def _grouped(files: Sequence[PhotoFile], earlier: Mapping[str, PhotoFile]) -> list[PhotoFile]:
    if not files:
        return []
    photographs = group_photographs(
        [file.path for file in files],
        [file.class_name for file in files],
        np.stack([np.frombuffer(bytes.fromhex(file.signature), np.uint8) for file in files]),
        {path: row.photograph for path, row in earlier.items() if row.photograph},
    )
    return [
        replace(file, photograph=photograph, split=split_of(photograph))
        for file, photograph in zip(files, photographs, strict=True)
    ]
