"""The boxes of the catalog's boxed photos, which teach the grader as its photos do."""

import hashlib
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from api.catalog import boxed_repository
from api.catalog.box_formats import UNNAMED
from api.core.boxes import Box
from api.core.labels import fruits_of, read_label
from api.storage.tables.photos import BoxedPhotoRow, ImageRow


@dataclass(frozen=True)
class BoxedFruit:
    """One box of a boxed photo, with the columns of an `ImageRow` that training reads.

    `sha256` covers photo and box. `width` and `height` are the box's; `pixels`, `photo_sha256` and
    `blob` are the whole photo's. Appearance is unknown.
    """

    sha256: str
    photo_sha256: str
    box: Box
    class_name: str
    signature: str
    photograph: str
    split: str
    origin: str
    filename: str
    blob: str
    width: int
    height: int
    pixels: int
    unreadable: str | None
    brightness: float = math.nan
    saturation: float = math.nan
    hue: float = math.nan


# What a grader learns from.
CatalogPhoto = ImageRow | BoxedFruit


def load_boxed_fruits(session: Session, known_classes: Collection[str]) -> list[BoxedFruit]:
    """All boxes that teach a grader of `known_classes`, oldest photo first."""
    return [
        _fruit(photo.row, box, class_name)
        for photo in boxed_repository.all_photos(session)
        for box, class_name in _of_different_places(photo)
        if teaches_grader(class_name, known_classes)
    ]


def teaches_grader(class_name: str, known_classes: Collection[str]) -> bool:
    """False if a box has only a place, or names a fruit that is graded by level without a level."""
    if class_name == UNNAMED:
        return False
    if class_name in known_classes or read_label(class_name).level is not None:
        return True
    return not any(fruits_of(class_name) & fruits_of(known) for known in known_classes)


def file_sha256(photo: CatalogPhoto | BoxedPhotoRow) -> str:
    """SHA-256 of the whole file that the photo or box is read from."""
    return photo.photo_sha256 if isinstance(photo, BoxedFruit) else photo.sha256


def _of_different_places(photo: boxed_repository.BoxedPhoto) -> Iterator[tuple[Box, str]]:
    """The boxes that have a class; of several at the same place, the last one."""
    yield from {box: name for box, name in photo.boxes if name is not None}.items()


def box_sha256(photo_sha256: str, box: Box) -> str:
    """The hash, in hexadecimal, by which a replay buffer knows a box of a photo."""
    place = ",".join(f"{float(corner):.3f}" for corner in box)
    return hashlib.sha256(f"{photo_sha256} {place}".encode()).hexdigest()


def _fruit(photo: BoxedPhotoRow, box: Box, class_name: str) -> BoxedFruit:
    return BoxedFruit(
        sha256=box_sha256(photo.sha256, box),
        photo_sha256=photo.sha256,
        box=box,
        class_name=class_name,
        signature=photo.signature,
        photograph=photo.photograph,
        split=photo.split,
        origin=photo.origin,
        filename=photo.filename,
        blob=photo.blob,
        width=max(1, round(box.x_max - box.x_min)),
        height=max(1, round(box.y_max - box.y_min)),
        pixels=photo.width * photo.height,
        unreadable=photo.unreadable,
    )
