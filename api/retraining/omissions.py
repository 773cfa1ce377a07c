"""What a run leaves out so that it need not fail: classes it cannot learn, unreadable photos."""

import errno
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.core.errors import ProblemError
from api.core.imaging.decode import EmptyImageError, ImageTooLargeError, decode
from api.retraining.boxed_fruits import CatalogPhoto, file_sha256
from api.settings import usable_cores
from api.storage.tables.photos import BoxedPhotoRow, ImageRow

# Different photos that a class needs, in all and in the train split. Fewer could not be checked.
MIN_PER_CLASS = 8
MIN_TRAIN_PER_CLASS = 2
# A store that lost everything must not fill the runs table with names.
MAX_NAMED = 50
MAX_NAMED_IN_MESSAGE = 5
TOO_LARGE = "more pixels than allowed"
MISSING = "its file is missing"
log = logging.getLogger(__name__)


@dataclass
class Omissions:
    """Filled in while the run works.

    `classes`: too small to learn, with their numbers of different photos. `unlearnable`: new
    classes that cannot be told from the others, likewise. `photos`: those that cannot be read, by
    SHA-256, with the reason. `files`: imported ones that cannot be read, by path.
    """

    classes: dict[str, int] = field(default_factory=dict)
    unlearnable: dict[str, int] = field(default_factory=dict)
    photos: dict[str, tuple[CatalogPhoto | BoxedPhotoRow, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, Any]:
        """For the stored verdict, JSON-ready."""
        # A boxed photo once, not for each of its boxes.
        photos = {
            (isinstance(photo, ImageRow), file_sha256(photo)): (
                photo.id if isinstance(photo, ImageRow) else None,
                photo.filename,
                reason,
            )
            for photo, reason in self.photos.values()
        }
        skipped: list[tuple[str | None, str, str]] = [
            *photos.values(),
            *((None, path, reason) for path, reason in self.files.items()),
        ]
        named = [
            {"image_id": image_id, "filename": filename, "reason": reason}
            for image_id, filename, reason in skipped[:MAX_NAMED]
        ]
        return {
            "left_out_classes": dict(sorted(self.classes.items())),
            "unlearnable_classes": dict(sorted(self.unlearnable.items())),
            "skipped": len(skipped),
            "skipped_photos": named,
        }


def readable_files(paths: Sequence[Path], root: Path, omissions: Omissions) -> list[Path]:
    """The `paths` that can be decoded; the others are noted, relative to `root`."""

    def check(path: Path) -> str:
        try:
            decode(path.read_bytes())
        except (OSError, ProblemError) as error:
            return why_unreadable(error) or str(error)
        return ""

    with ThreadPoolExecutor(usable_cores()) as threads:
        reasons = dict(zip(paths, threads.map(check, paths), strict=True))
    for path, reason in reasons.items():
        if reason:
            omissions.files[str(path.relative_to(root))] = reason
            log.warning("%r is skipped: %s.", str(path), reason)
    return [path for path in paths if not reasons[path]]


def why_unreadable(error: Exception) -> str:
    """The reason why a photo of the catalog cannot be read; empty for any other error."""
    match error:
        case FileNotFoundError():
            return MISSING
        case EmptyImageError():
            return "its file is empty"
        case ImageTooLargeError():
            return TOO_LARGE
        case ProblemError():
            return "its file is damaged"
        case OSError(errno=errno.EISDIR | errno.EIO):
            return "its file cannot be read from the disk"
    return ""


def describe_omissions(figures: Mapping[str, Any]) -> str:
    """Sentences on the `Omissions.figures` of a verdict; empty if nothing was left out."""
    sentences = describe_left_out(figures.get("left_out_classes", {}))
    if unlearnable := figures.get("unlearnable_classes"):
        sentences += (
            f" Left out, because it cannot be told from the other classes: {_counted(unlearnable)}."
            " Check its photos, or add more of them."
        )
    photos = figures.get("skipped_photos", [])[:MAX_NAMED_IN_MESSAGE]
    if photos:
        named = ", ".join(f"{photo['filename']} ({photo['reason']})" for photo in photos)
        more = figures["skipped"] - len(photos)
        sentences += f" Skipped, because they cannot be read: {named}"
        sentences += f" and {more} more." if more else "."
    return sentences.strip()


def describe_left_out(classes: Mapping[str, int]) -> str:
    """A sentence on `Omissions.classes`; empty for none."""
    if not classes:
        return ""
    return (
        f"Left out, with too few different photos: {_counted(classes)}. A class needs at least "
        f"{MIN_PER_CLASS}, and {MIN_TRAIN_PER_CLASS} of them in the train split."
    )


def _counted(classes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in classes.items())
