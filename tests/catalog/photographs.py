"""Photos as people upload them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import select

from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos
from api.catalog.service import DuplicateFile, Outcome, PhotographStore, Stored
from api.core.imaging.decode import decode
from api.core.imaging.hashing import content_hash, perceptual_hash
from api.model.replay_buffer import APPEARANCE_COLUMNS
from api.model.training_index import TrainingIndex
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow
from tests.synthetic_images import draw_fruit, encode


@cache
def photo(seed: int, file_format: str = "JPEG", kind: str = "freshapples") -> bytes:
    """A different photo for each seed; in another format it is a near-duplicate."""
    return encode(draw_fruit(kind, seed), file_format)


def phone_jpeg(seed: int) -> bytes:
    """A portrait photo stored rotated, with GPS coordinates."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 7.5)})
    return encode(draw_fruit("freshapples", seed).crop((0, 0, 96, 80)), "JPEG", exif=exif)


def training_index_of(*rows: tuple[bytes, str, str, str]) -> TrainingIndex:
    """The index of a model trained on these files, each with its class, source group and split."""
    data, class_names, photographs, splits = zip(*rows, strict=True)
    return TrainingIndex(
        sha256=np.array([content_hash(file) for file in data]),
        signatures=np.stack([perceptual_hash(decode(file).image) for file in data]),
        photographs=np.array(photographs),
        class_names=np.array(class_names),
        splits=np.array(splits),
        catalog=np.zeros(len(rows), np.bool_),
        looks=np.full((len(rows), len(APPEARANCE_COLUMNS)), np.nan, np.float32),
        copies=np.ones(len(rows), np.int32),
    )


class Uploader:
    """Stores photos one by one, as a request does."""

    def __init__(
        self, database: Database, blobs: Blobs, training_index: TrainingIndex | None = None
    ) -> None:
        self.database = database
        self.blobs = blobs
        with database.reading() as session:
            self.index = DuplicateIndex(
                session, KnownPhotos(blobs, training_index or TrainingIndex.empty(), None)
            )

    def upload(
        self, data: bytes, class_name: str = "freshapples", filename: str = "a.jpg", **more: Any
    ) -> Outcome:
        return PhotographStore(self.database, self.blobs, self.index).add(
            data, **{"class_name": class_name, "origin": "upload", "filename": filename, **more}
        )

    def store(
        self, data: bytes, class_name: str = "freshapples", filename: str = "a.jpg", **more: Any
    ) -> ImageRow:
        outcome = self.upload(data, class_name, filename, **more)
        assert isinstance(outcome, Stored), outcome
        return outcome.image

    def upload_duplicate(
        self, data: bytes, class_name: str = "freshapples", filename: str = "a.jpg"
    ) -> DuplicateFile:
        outcome = self.upload(data, class_name, filename)
        assert isinstance(outcome, DuplicateFile)
        return outcome


def rows_of(database: Database) -> Sequence[ImageRow]:
    with database.reading() as session:
        return session.scalars(select(ImageRow).order_by(ImageRow.created_at)).all()
