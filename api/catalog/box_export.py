"""All boxed photos as a zip in COCO format, which can be uploaded again."""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import PurePosixPath
from typing import Any

from api.catalog import boxed_repository
from api.catalog.box_formats import UNNAMED
from api.catalog.boxed_repository import BoxedPhoto
from api.core.streamed_zip import StreamedZip
from api.storage.blobs import Blobs
from api.storage.db import Database

PAGE = 100
ANNOTATIONS = "annotations.json"


def export_coco(database: Database, blobs: Blobs) -> Iterator[bytes]:
    """The parts of a zip, photo by photo. Photos that are removed meanwhile, or cannot be read, are
    left out.
    """
    with database.reading() as session:
        ids = boxed_repository.all_ids(session)
    archive = StreamedZip()
    photos: list[BoxedPhoto] = []
    for start in range(0, len(ids), PAGE):
        with database.reading() as session:
            page = boxed_repository.get_many(session, ids[start : start + PAGE])
        for photo in page:
            data = blobs.get_if_readable(photo.row.blob)
            if data is None:
                continue
            photos.append(photo)
            yield archive.add(_name(photo), data)
    text = json.dumps(_document(photos), indent=1)
    yield archive.add(ANNOTATIONS, text.encode(), compress=True)
    yield archive.close()


def _document(photos: Sequence[BoxedPhoto]) -> dict[str, Any]:
    names = sorted({name or UNNAMED for photo in photos for _, name in photo.boxes})
    ids, numbers = {name: key for key, name in enumerate(names, start=1)}, count(1)
    return {
        "images": [
            {
                "id": key,
                "file_name": _name(photo),
                "width": photo.row.width,
                "height": photo.row.height,
                "complete": photo.row.complete,
            }
            for key, photo in enumerate(photos, start=1)
        ],
        "categories": [{"id": ids[name], "name": name} for name in names],
        "annotations": [
            {
                "id": next(numbers),
                "image_id": key,
                "category_id": ids[name or UNNAMED],
                "bbox": [box.x_min, box.y_min, box.x_max - box.x_min, box.y_max - box.y_min],
                "area": (box.x_max - box.x_min) * (box.y_max - box.y_min),
                "iscrowd": 0,
            }
            for key, photo in enumerate(photos, start=1)
            for box, name in photo.boxes
        ],
    }


def _name(photo: BoxedPhoto) -> str:
    return f"photographs/{photo.row.id}{PurePosixPath(photo.row.blob).suffix}"
