"""The layout of a dataset folder, derived from file names alone.

A folder of images is a class and gives it its name. Three kinds of folder are special: one with a
`boxes.csv` holds photos with bounding boxes, one named `other` near-OOD images (other produce, one
folder per kind), and one named `not_…` far-OOD images (other things). The folder above the class
folders names their source: `market` in `market/freshapples/1.jpg`. Folders named after the parts of
a split (`train`, `val`, …), or just after photos (`images`), are never classes, whether above or
below the class folders.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePath

from api.core.errors import ConflictError, ProblemError
from api.core.imaging.decode import EXTENSIONS, START_BYTES, starts_like_photo
from api.core.labels import OOD_PREFIX, normalise_class_name
from api.core.look_alikes import find_look_alike

BOXES = "boxes.csv"
NEAR_FOLDER = "other"
# Prefixes of OOD source groups: near-OOD images are grouped by kind, far-OOD images by file.
NEAR, FAR = "other/", "far/"
SUPPLIED_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
# Folders of macOS, Windows, Linux, Synology and QNAP: thumbnails and deleted files, never wanted.
SYSTEM_FOLDERS = {
    *("__macosx", "$recycle.bin", "recycler", "system volume information", "lost+found"),
    *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@__thumb"),
}
# Usual names of folders that just hold photos, above or below the class folders.
PLAIN_FOLDERS = {
    *("image", "images", "img", "imgs", "photo", "photos", "photograph", "photographs"),
    *("picture", "pictures", "pic", "pics", "dcim", "new folder"),
}
SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini"}
NO_CLASS_FOLDER = "it is not in a class folder"
LEFT_OUT = "left out on request"


class EmptyFolderError(ProblemError):
    code = "empty-folder"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No photographs found under {folder}. Name a folder that holds one folder of "
            "pictures for each class."
        )


class SeveralClassFoldersError(ConflictError):
    """Nested folders name several known classes."""

    code = "several-class-folders"

    def __init__(self, folders: Sequence[str]) -> None:
        names = " and ".join(f"'{name}'" for name in folders)
        super().__init__(
            f"Several folders of its path name classes: {names}. Which one does it show? Put it "
            "below that one only."
        )


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Layout:
    """The images of a dataset by kind; all paths begin with `root`.

    `boxed` are folders with a `boxes.csv`; `near` are near-OOD and `others` far-OOD files.
    """

    root: Path
    class_files: tuple[Path, ...]
    boxed: tuple[Path, ...]
    others: tuple[Path, ...]
    near: tuple[Path, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def discover(root: Path, skip: Collection[str] = ()) -> Layout:
    """Walk `root` without opening an image. Raises EmptyFolderError.

    Folders named in `skip` are left out; below a `boxes.csv`, `read_boxes` does that. `skipped`
    lists all other files except hidden ones, READMEs and, in `root` itself, files without an image
    extension.
    """
    class_files: list[Path] = []
    boxed: list[Path] = []
    others: list[Path] = []
    near: list[Path] = []
    skipped: list[Skipped] = []

    def skip_folder(error: OSError) -> None:
        skipped.append(Skipped(_display_path(Path(error.filename), root), unreadable_reason(error)))

    for folder, subfolders, names in os.walk(root, onerror=skip_folder):
        here = Path(folder)
        shown = sorted(name for name in subfolders if not is_system_folder(name))
        subfolders[:] = [name for name in shown if name not in skip]
        skipped += (
            Skipped(_display_path(here / name, root), LEFT_OUT) for name in shown if name in skip
        )
        if BOXES in names:
            boxed.append(here)
            subfolders.clear()  # They belong to the boxes.
            continue
        for name in subfolders:
            if (here / name).is_symlink():
                skipped.append(Skipped(_display_path(here / name, root), "a link to a folder"))
        below = here.relative_to(root).parts
        is_others = any(part.startswith(OOD_PREFIX) for part in (root.name, *below))
        files = others if is_others else near if NEAR_FOLDER in below else class_files
        loose = here == root and not is_others
        for path in (here / name for name in sorted(names) if not is_ignored(name)):
            if loose and not path.name.lower().endswith(EXTENSIONS):
                continue
            reason = NO_CLASS_FOLDER if loose else _unreadable(path, root)
            if reason:
                skipped.append(Skipped(_display_path(path, root), reason))
            else:
                files.append(path)
    of_splits = folders_of_splits(_folders(path, root) for path in class_files)
    classless = {path for path in class_files if not has_class(_folders(path, root), of_splits)}
    class_files = [path for path in class_files if path not in classless]
    skipped += (Skipped(_display_path(path, root), NO_CLASS_FOLDER) for path in sorted(classless))
    if not (class_files or boxed or others or near):
        raise EmptyFolderError(root)
    return Layout(
        root, tuple(class_files), tuple(boxed), tuple(others), tuple(near), tuple(skipped)
    )


def class_folder(folders: Sequence[str], known: Collection[str] = ()) -> str:
    """Which of the nested `folders` around an image, outermost first, names its class.

    One that names a known class, or looks like its name; else the innermost that may name a class.
    Empty if there is none. Raises SeveralClassFoldersError.
    """
    names = [name for name in folders if may_name_class(name)]
    if len(names) > 1:
        classes = {name: found for name in names if (found := _known_class(name, known))}
        if len(set(classes.values())) > 1:
            raise SeveralClassFoldersError(list(classes))
        if classes:
            return list(classes)[-1]
    return names[-1] if names else ""


def _known_class(folder: str, known: Collection[str]) -> str | None:
    try:
        name = normalise_class_name(folder)
    except ValueError:
        return None
    return name if name in known else find_look_alike(name, known)


def folders_of_splits(files: Iterable[Sequence[str]]) -> set[tuple[str, ...]]:
    """The folders whose split has class folders in its parts; `files` are the folders of each
    file, outermost first."""
    return {
        _above_split(folders)
        for folders in map(_without_plain, files)
        if any(map(is_split, folders)) and not is_split(folders[-1])
    }


def has_class(folders: Sequence[str], of_splits: Collection[tuple[str, ...]]) -> bool:
    """Whether one of the nested `folders` of a file may name its class.

    `of_splits` comes from `folders_of_splits`: where a split has class folders, a file directly in
    one of its parts has no class.
    """
    folders = _without_plain(folders)
    if all(map(is_split, folders)):
        return False
    return not is_split(folders[-1]) or _above_split(folders) not in of_splits


def may_name_class(folder: str) -> bool:
    return not (is_split(folder) or folder.lower() in PLAIN_FOLDERS)


def _without_plain(folders: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in folders if name.lower() not in PLAIN_FOLDERS)


def _above_split(folders: Sequence[str]) -> tuple[str, ...]:
    """The folders above the first that is a part of a split; all if there is none."""
    return tuple(takewhile(lambda name: not is_split(name), folders))


def is_split(folder: str) -> bool:
    return folder.lower() in SUPPLIED_SPLITS


def supplied_split(folders: Iterable[str]) -> str:
    """`train`, `validation` or `test`, from the innermost folder that names one, or empty."""
    names = [SUPPLIED_SPLITS[name.lower()] for name in folders if is_split(name)]
    return names[-1] if names else ""


def source_of(path: PurePath) -> str:
    """The source of an image; `path` is relative to the root of its dataset.

    The nearest folder above the class folder that is neither a supplied split nor `other`: `fruits`
    for `fruits/train/freshapples/1.jpg`. Empty if there is none.
    """
    names = [name for name in path.parts[:-1] if may_name_class(name)]
    above = [name for name in names[:-1] if name != NEAR_FOLDER]
    return above[-1] if above else ""


def is_system_folder(name: str) -> bool:
    """Whether a folder is skipped silently: hidden, or made by a system for itself."""
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def is_ignored(name: str) -> bool:
    """Whether a file is skipped silently: hidden, a system's, a README or an index."""
    return (
        name.startswith(".")
        or name == "index.csv"
        or name.lower() in SYSTEM_FILES
        or name.lower().partition(".")[0] == "readme"
    )


def _unreadable(path: Path, root: Path) -> str:
    """Why the file cannot be an image; empty if it can."""
    has_ending = "." in path.name
    if has_ending and not path.name.lower().endswith(EXTENSIONS):
        return f"not a picture format that is read ({' '.join(EXTENSIONS)})"
    if not path.is_file():
        return "a broken link, or not an ordinary file"
    try:
        if not has_ending and not _starts_like_photo(path):
            return f"not a picture, and not named like one ({' '.join(EXTENSIONS)})"
    except OSError as error:
        return unreadable_reason(error)
    if _display_path(path, root) != path.relative_to(root).as_posix():
        return "its name is not valid UTF-8; rename it"
    return ""


def unreadable_reason(error: OSError) -> str:
    """The reason of a file that is skipped because of `error`."""
    return f"it cannot be read: {error.strerror or error}"


def _folders(path: Path, root: Path) -> tuple[str, ...]:
    return path.relative_to(root).parts[:-1]


def _starts_like_photo(path: Path) -> bool:
    with path.open("rb") as stream:
        return starts_like_photo(stream.read(START_BYTES))


def _display_path(path: Path, root: Path) -> str:
    """The path relative to `root`, invalid UTF-8 escaped."""
    return path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()
