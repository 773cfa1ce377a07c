"""Bringing a folder of photographs into the project: copied, verified, indexed.

Run again, it goes on where it stopped and takes only what is new; photographs that are there
already keep their names and so their split.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.dataset.folder import Listing, Skipped, discover, read_class_folders
from api.dataset.index import INDEX, read_index, write_index
from api.dataset.split import SPLITS
from api.progress import Progress, silent


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `copied` and `already_there` count files of all kinds."""

    copied: int
    already_there: int
    listing: Listing
    boxed_folders: int
    other_files: int

    @property
    def lines(self) -> list[str]:
        """The report in words."""
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
        if self.boxed_folders or self.other_files:
            lines.append(
                f"Besides: {self.boxed_folders} folder(s) of boxed photographs, "
                f"{self.other_files} photographs of other things."
            )
        lines.extend(_reasons(listing.skipped))
        return lines


def import_folder(source: Path, target: Path, progress: Progress = silent) -> ImportReport:
    """Copy the photographs under `source` to `target` and index them there.

    Raises EmptyFolderError. A file that is there with the same length is not copied again; one
    that turns out damaged is not kept.
    """
    found = discover(source)
    boxed = [path for folder in found.boxed for path in sorted(folder.iterdir()) if path.is_file()]
    wanted = [*found.class_files, *found.others, *boxed]
    copied = 0
    for done, path in enumerate(wanted, start=1):
        copied += _copy(path, target / path.relative_to(source))
        progress("Copying photographs", done, len(wanted))
    listing = read_class_folders(discover(target), read_index(target / INDEX), progress)
    write_index(listing.files, target / INDEX)
    for skipped in listing.skipped:
        (target / skipped.path).unlink()
    return ImportReport(copied, len(wanted) - copied, listing, len(found.boxed), len(found.others))


def _copy(source: Path, target: Path) -> bool:
    """Copy unless it is there; whole or not at all. Says whether it copied."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, temporary)
    temporary.replace(target)
    return True


def _reasons(skipped: Sequence[Skipped]) -> list[str]:
    if not skipped:
        return ["Nothing was skipped."]
    shown = [f"  {item.path}: {item.reason}" for item in skipped[:20]]
    more = len(skipped) - len(shown)
    return [
        f"{len(skipped)} files were skipped:",
        *shown,
        *([f"  and {more} more"] if more else []),
    ]
