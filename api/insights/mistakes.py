"""The held-out photos that a version gets wrong, and which of them the catalog can show."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.catalog import boxed_repository
from api.catalog.box_schemas import FruitBox
from api.core.boxes import Box
from api.insights.report_schemas import CatalogPhoto, Miss, Mistake, Mistakes
from api.model.package import REPLAY
from api.model.training_index import load_held_out
from api.registry.store import fetch_package
from api.retraining.boxed_fruits import box_sha256
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import BoxedPhotoRow, ImageRow

# Values in one query: databases have limits.
BATCH = 500


class WrongGrade(NamedTuple):
    """A row of a version's replay buffer, and its wrong grade."""

    sha256: str
    photograph: str
    source: str
    class_name: str
    predicted_class: str
    confidence: float


class Pictures(NamedTuple):
    """Photos of the catalog, and boxes in them, by the SHA-256 of a replay row."""

    photos: Mapping[str, CatalogPhoto]
    boxes: Mapping[str, Box]


def find_mistakes(
    database: Database, blobs: Blobs, cache: Path, manifest: Mapping[str, Any], limit: int
) -> Mistakes:
    """At most `limit` mistakes of the stored version of `manifest`. Raises BadPackageError."""
    version = manifest["version"]
    held_out, wrong = _wrong_grades(blobs, cache, version)
    metrics = (manifest.get("detector") or {}).get("metrics") or {}
    misses = metrics.get("worst_misses") or []
    with database.reading() as session:
        pictures = _pictures(session, wrong)
        # Others were not in the catalog.
        hashes = [row["sha256"] for row in misses if "sha256" in row]
        missed = _photos_with_boxes(session, BoxedPhotoRow.sha256, hashes)
        by_file = {row.sha256: _of_boxed(row) for row in missed}
    # Already sorted by confidence, and the sort is stable.
    shown = sorted(wrong, key=lambda row: row.sha256 not in pictures.photos)[:limit]
    return Mistakes(
        version=version,
        held_out=held_out,
        wrong=len(wrong),
        wrong_with_photo=sum(row.sha256 in pictures.photos for row in wrong),
        mistakes=[_mistake(row, pictures) for row in shown],
        misses=[_miss(row, by_file.get(row.get("sha256", ""))) for row in misses],
    )


@lru_cache(maxsize=4)  # A stored version never changes.
def _wrong_grades(blobs: Blobs, cache: Path, version: str) -> tuple[int, list[WrongGrade]]:
    """The number of held-out rows, and the wrong ones, the most confident first."""
    package = fetch_package(blobs, version, cache)
    classes = np.array(package.manifest.classes)
    rows = load_held_out(package.folder / REPLAY, package.manifest.classes)
    if not len(rows.sha256):
        return 0, []
    probabilities = package.head.probabilities(rows.embeddings)
    predicted = classes[probabilities.argmax(axis=1)]
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != rows.class_names)
    return len(rows.sha256), [
        WrongGrade(
            str(rows.sha256[k]),
            str(rows.photographs[k]),
            str(rows.sources[k]),
            str(rows.class_names[k]),
            str(predicted[k]),
            round(float(confidence[k]), 4),
        )
        for k in wrong[np.argsort(-confidence[wrong], kind="stable")].tolist()
    ]


def _pictures(session: Session, wrong: Sequence[WrongGrade]) -> Pictures:
    photos: dict[str, CatalogPhoto] = {}
    boxes: dict[str, Box] = {}
    wanted = {row.sha256 for row in wrong}
    for hashes in _batches(sorted(wanted)):
        for image in session.scalars(select(ImageRow).where(ImageRow.sha256.in_(hashes))):
            photos[image.sha256] = CatalogPhoto(
                image_id=image.id,
                boxed_photo_id=None,
                filename=image.filename,
                width=image.width,
                height=image.height,
            )
    groups = sorted({row.photograph for row in wrong})
    rows = {row.id: row for row in _photos_with_boxes(session, BoxedPhotoRow.photograph, groups)}
    for ids in _batches(sorted(rows)):
        for photo_id, fruits in boxed_repository.boxes_of(session, ids).items():
            row = rows[photo_id]
            for box, _ in fruits:
                key = box_sha256(row.sha256, box)
                if key in wanted:
                    photos[key], boxes[key] = _of_boxed(row), box
    return Pictures(photos, boxes)


def _photos_with_boxes(
    session: Session, column: Any, values: Sequence[str]
) -> Iterator[BoxedPhotoRow]:
    for some in _batches(values):
        yield from session.scalars(select(BoxedPhotoRow).where(column.in_(some)))


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]


def _of_boxed(row: BoxedPhotoRow) -> CatalogPhoto:
    return CatalogPhoto(
        image_id=None,
        boxed_photo_id=row.id,
        filename=row.filename,
        width=row.width,
        height=row.height,
    )


def _mistake(row: WrongGrade, pictures: Pictures) -> Mistake:
    box = pictures.boxes.get(row.sha256)
    return Mistake(
        class_name=row.class_name,
        predicted_class=row.predicted_class,
        confidence=row.confidence,
        photograph=row.photograph,
        source=row.source,
        photo=pictures.photos.get(row.sha256),
        box=FruitBox(**box._asdict()) if box else None,
    )


def _miss(row: Mapping[str, Any], photo: CatalogPhoto | None) -> Miss:
    """`row` of `worst_misses` in a manifest."""
    counts = {name: row[name] for name in ("file", "source", "fruits", "missed", "surplus")}
    return Miss(
        **counts,
        photo=photo,
        missed_boxes=_in_pixels(row.get("missed_boxes", []), photo),
        surplus_boxes=_in_pixels(row.get("surplus_boxes", []), photo),
    )


def _in_pixels(boxes: Sequence[Sequence[float]], photo: CatalogPhoto | None) -> list[FruitBox]:
    """Boxes in shares of a photo's sides, converted to its pixels; none without the photo."""
    if photo is None:
        return []
    return [
        FruitBox(
            x_min=left * photo.width,
            y_min=top * photo.height,
            x_max=right * photo.width,
            y_max=bottom * photo.height,
        )
        for left, top, right, bottom in boxes
    ]
