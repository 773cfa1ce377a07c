"""What lies where in a folder of photographs, told from names alone.

A folder with pictures in it is a class, named after the folder. Three kinds of folder mean
something else: one with a `boxes.csv` holds boxed photographs (`boxed`), one named `other` holds
near misses (other produce, one folder a kind), and one named `not_…` holds photographs of other
things. A folder above the classes names their source, as `market` in `market/freshapples/1.jpg`.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePath

from api.core.errors import ProblemError
from api.core.imaging.decode import EXTENSIONS

BOXES = "boxes.csv"
OTHERS_PREFIX = "not_"
NEAR_FOLDER = "other"
# How the groups begin of what is none of the classes: other produce by kind, other things by file.
NEAR, FAR = "other/", "far/"
SUPPLIED_SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
LEFT_OUT = "left out on request"


class EmptyFolderError(ProblemError):
    code = "empty-folder"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No photographs found under {folder}. Name a folder that holds one folder of "
            "pictures for each class."
        )


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Layout:
    """Where in a folder the four kinds of photographs lie, and which files are none of them.

    Paths are those of `root` and what lies under it. `near` are files of other produce, `others`
    of other things.
    """

    root: Path
    class_files: tuple[Path, ...]
    boxed: tuple[Path, ...]
    others: tuple[Path, ...]
    near: tuple[Path, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def discover(root: Path, skip: Collection[str] = ()) -> Layout:
    """Look through `root` without opening a picture. Raises EmptyFolderError.

    Folders under `root` with one of the names `skip` are left out; those below a `boxes.csv` are
    for `read_boxes` to leave out. `skipped` says what is passed over, but for hidden files, READMEs
    and, in `root` itself, whatever is no picture.
    """
    class_files: list[Path] = []
    boxed: list[Path] = []
    others: list[Path] = []
    near: list[Path] = []
    skipped: list[Skipped] = []
    for folder, subfolders, names in os.walk(root):
        here = Path(folder)
        shown = sorted(name for name in subfolders if not name.startswith("."))
        subfolders[:] = [name for name in shown if name not in skip]
        skipped += (Skipped(_shown(here / name, root), LEFT_OUT) for name in shown if name in skip)
        if BOXES in names:
            boxed.append(here)
            subfolders.clear()  # What lies below belongs to the boxed photographs.
            continue
        for name in subfolders:
            if (here / name).is_symlink():
                skipped.append(Skipped(_shown(here / name, root), "a link to a folder"))
        below = here.relative_to(root).parts
        is_others = any(part.startswith(OTHERS_PREFIX) for part in (root.name, *below))
        files = others if is_others else near if NEAR_FOLDER in below else class_files
        loose = here == root and not is_others
        for path in (here / name for name in sorted(names) if not is_aside(name)):
            if loose and not path.name.lower().endswith(EXTENSIONS):
                continue
            reason = "it lies in no class folder" if loose else _unreadable(path, root)
            if reason:
                skipped.append(Skipped(_shown(path, root), reason))
            else:
                files.append(path)
    if not (class_files or boxed or others or near):
        raise EmptyFolderError(root)
    return Layout(
        root, tuple(class_files), tuple(boxed), tuple(others), tuple(near), tuple(skipped)
    )


def source_of(path: PurePath) -> str:
    """Where a photograph comes from; `path` is relative to the root of its set.

    The name of the nearest folder above the class folder that is neither a part of a supplied split
    nor `other`: `fruits` for `fruits/train/freshapples/1.jpg`. Empty where there is none.
    """
    for name in reversed(path.parts[:-2]):
        if name != NEAR_FOLDER and name.lower() not in SUPPLIED_SPLITS:
            return name
    return ""


def is_aside(name: str) -> bool:
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
