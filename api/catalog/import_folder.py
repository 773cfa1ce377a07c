"""Imports a folder of photos, or the public data set, into the project.

Files are copied, verified and indexed. Run again, it resumes and takes only new files; photos
already imported keep their source group, and so their split.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from api.core.errors import ProblemError
from api.core.labels import BadClassNameError, InvisibleCharacterError, accepted_new_class
from api.core.layout import (
    Layout,
    SeveralClassFoldersError,
    Skipped,
    class_folder,
    discover,
    is_system_folder,
    unreadable_reason,
)
from api.core.progress import Progress, silent
from api.core.splits import SPLITS
from api.training.class_folders import (
    INDEX,
    Listing,
    PhotoFile,
    read_class_folders,
    read_index,
    write_index,
)

PUBLIC_SET = "sriramr/fruits-fresh-and-rotten-for-classification"
MAX_SKIPPED_LINES = 20


class OverlapError(ProblemError):
    code = "overlapping-folders"

    def __init__(self, source: Path, target: Path) -> None:
        super().__init__(
            f"One of {source} and {target}, where the project keeps its copies, contains the "
            "other. Name a folder elsewhere."
        )


@dataclass(frozen=True)
class ImportReport:
    """Result of an import. `copied` and `already_there` count files of all kinds."""

    copied: int
    already_there: int
    listing: Listing
    boxed_folders: int
    near_files: int
    other_files: int

    @property
    def lines(self) -> list[str]:
        listing = self.listing
        photographs = {(file.class_name, file.split, file.photograph) for file in listing.files}
        counts = Counter((name, split) for name, split, _ in photographs)
        lines = [
            f"{self.copied} files copied, {self.already_there} were there already.",
            f"{len(listing.files)} files of {len(photographs)} photographs in "
            f"{len(listing.classes)} classes:",
        ]
        for name in listing.classes:
            shares = ", ".join(f"{counts[name, split]} {split}" for split in SPLITS)
            lines.append(f"  {name}: {shares}")
        if self.boxed_folders or self.near_files or self.other_files:
            lines.append(
                f"Also: {self.boxed_folders} folder(s) of boxed photographs, "
                f"{self.near_files} photographs of other produce, "
                f"{self.other_files} photographs of other things."
            )
        if not listing.skipped:
            return [*lines, "Nothing was skipped."]
        lines.append(f"{len(listing.skipped)} files were skipped:")
        lines += [f"  {item.path}: {item.reason}" for item in listing.skipped[:MAX_SKIPPED_LINES]]
        if (more := len(listing.skipped) - MAX_SKIPPED_LINES) > 0:
            lines.append(f"  and {more} more")
        return lines


def import_folder(
    source: Path, target: Path, progress: Progress = silent, *, new_class: bool = False
) -> ImportReport:
    """Copy the photos under `source` to `target` and index them there.

    A file already there with the same size is not copied again. Copies of damaged files are
    deleted. Nothing under `source` changes. Raises EmptyFolderError, OverlapError if one folder
    contains the other, and what `accepted_new_class` raises for a class folder unless `new_class`
    is set. Nothing has changed then.
    """
    inner, outer = sorted((source.resolve(), target.resolve()), key=lambda path: -len(path.parts))
    if inner.is_relative_to(outer):
        raise OverlapError(source, target)
    layout = discover(source)
    known = read_index(target / INDEX)
    if not new_class:
        _check_classes(layout, known)
    boxed = [path for folder in layout.boxed for path in _files_under(folder)]
    photos = [*layout.class_files, *layout.near, *layout.others, *boxed]
    names = [path.relative_to(source).as_posix() for path in photos]
    copied: set[str] = set()
    unreadable: dict[str, Skipped] = {}
    for done, (path, name) in enumerate(zip(photos, names, strict=True), start=1):
        try:
            if _copy(path, target / name):
                copied.add(name)
        except OSError:
            if not (reason := _why_unreadable(path)):
                raise
            unreadable[name] = Skipped(name, reason)
        progress("Copying photographs", done, len(photos))
    listing = read_class_folders(discover(target), known, progress)
    write_index(listing.files, target / INDEX)
    dropped = {item.path for item in listing.skipped}.intersection(names)
    for name in dropped:
        (target / name).unlink()
    return ImportReport(
        copied=len(copied - dropped),
        already_there=len(set(names) - copied - dropped - unreadable.keys()),
        listing=replace(listing, skipped=(*layout.skipped, *unreadable.values(), *listing.skipped)),
        boxed_folders=len(layout.boxed),
        near_files=len(layout.near),
        other_files=len(layout.others),
    )


def _check_classes(layout: Layout, indexed: Sequence[PhotoFile]) -> None:
    """Raises what `accepted_new_class` raises. Folders without a valid name are skipped later."""
    known = {file.class_name for file in indexed}
    folders = {path.relative_to(layout.root).parts[:-1] for path in layout.class_files}
    for names in sorted(folders):
        with suppress(BadClassNameError, InvisibleCharacterError, SeveralClassFoldersError):
            known.add(accepted_new_class(class_folder(names, known), known))


def _files_under(folder: Path) -> list[Path]:
    """All regular files under `folder`, without those that `discover` skips silently."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.name.startswith(".")
        and not any(is_system_folder(part) for part in path.relative_to(folder).parts[:-1])
    ]


def _copy(source: Path, target: Path) -> bool:
    """Copy atomically unless the target has the same size. Returns whether it copied."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _why_unreadable(path: Path) -> str:
    """Empty if the file can be read to its end."""
    try:
        with path.open("rb") as stream:
            while stream.read(2**20):
                pass
    except OSError as error:
        return unreadable_reason(error)
    return ""


class DownloadError(ProblemError):
    code = "download-failed"


def download_public_set() -> Path:
    """Download the public data set with kagglehub, which resumes and shows progress.

    Returns its folder. Raises DownloadError.
    """
    import kagglehub  # noqa: PLC0415  (an extra, used nowhere else)

    try:
        return Path(kagglehub.dataset_download(PUBLIC_SET))
    except Exception as error:  # kagglehub lets any error of its HTTP client through.
        raise DownloadError(
            f"The set {PUBLIC_SET} could not be downloaded ({type(error).__name__}). Check the "
            "network and try again, or import photographs that you have: make data FROM=<folder>."
        ) from error
