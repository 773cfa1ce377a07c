"""What lies where in a folder of photographs, told from names alone.

A folder with pictures in it is a class, named after the folder. Two kinds of folder mean something
else: one with a `boxes.csv` holds boxed photographs (`boxed`), and one named `not_…` holds
photographs of nothing that should be recognised.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from api.errors import ProblemError
from api.imaging.decode import EXTENSIONS

BOXES = "boxes.csv"
OTHERS_PREFIX = "not_"


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
    """Where in a folder the three kinds of photographs lie, and which files are none of them.

    Paths are those of `root` and what lies under it.
    """

    root: Path
    class_files: tuple[Path, ...]
    boxed: tuple[Path, ...]
    others: tuple[Path, ...]
    skipped: tuple[Skipped, ...] = ()


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
        for path in (here / name for name in sorted(names) if not is_aside(name)):
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
