"""A catalog as large as a busy year leaves it, of drawn pictures, made within a minute.

The rows are what uploads and predictions would have left, written many at a time. Pictures are
distinct up to `DRAWN`; beyond, rows share them, each under a hash of its own.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np

from api.catalog.sanitize import SanitizedImage, sanitize
from api.catalog.service import FOLDER
from api.core.splits import split_of
from api.model.predictor import Grade
from api.predictions.record import Record, blob_key
from api.predictions.recorder import add_predictions
from api.predictions.schemas import Prediction
from api.registry.model_reloader import load_shipped
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables import ImageRow
from tests.drawing import KINDS, draw_fruit, encode
from tests.ood_images import OOD_KINDS, draw_ood

IMAGES = 10_000
PREDICTIONS = 5000
DRAWN = 1500
# So many of the newest predictions have their photograph, as a correction would need it.
KEPT = 500
SIDES = (96, 120, 160, 200)
OVER_DAYS = 7
CHUNK = 1000


@dataclass(frozen=True)
class Picture:
    """One drawn picture, as it would be stored, and what the shipped model says of it."""

    class_name: str
    key: str
    prepared: SanitizedImage
    grade: Grade


def fill(state: Path) -> None:
    """Make the catalog and the blobs in the folder `state`, which is empty so far."""
    settings = Settings(state_dir=state, database_url="", storage_url="")
    database, blobs = Database(settings.database), Blobs(settings.storage)
    database.upgrade()
    try:
        pictures = list(_drawn(settings))
        for picture in pictures:
            blobs.put(picture.key, picture.prepared.data)
        for first in range(0, IMAGES, CHUNK):
            with database.session() as session:
                session.add_all(_image(pictures, k) for k in range(first, first + CHUNK))
        version = load_shipped(settings).manifest.version
        for first in range(0, PREDICTIONS, CHUNK):
            numbers = range(first, first + CHUNK)
            records = [(k, _record(pictures[k % DRAWN], k, version)) for k in numbers]
            kept = [(k, record) for k, record in records if k < KEPT]
            keys = _photographs(blobs, pictures, kept) if kept else {}
            add_predictions(database, [record.row(keys.get(k)) for k, record in records])
    finally:
        database.close()


def _photographs(
    blobs: Blobs, pictures: list[Picture], records: list[tuple[int, Record]]
) -> dict[int, str]:
    data = [pictures[k].prepared.data for k, _ in records]
    keys = blobs.put_many(blob_key([record for _, record in records]), data)
    return dict(zip((k for k, _ in records), keys, strict=True))


def _drawn(settings: Settings) -> Iterator[Picture]:
    runtime = load_shipped(settings)
    names = [*KINDS, *OOD_KINDS]
    for seed in range(DRAWN):
        name = names[seed % len(names)]
        draw = draw_fruit if name in KINDS else draw_ood
        data = encode(draw(name, seed, SIDES[seed // len(names) % len(SIDES)]), "JPEG", quality=90)
        prepared = sanitize(data)
        key = f"{FOLDER}/{_hash(seed)[:2]}/{_hash(seed)}{prepared.suffix}"
        yield Picture(name, key, prepared, runtime.predict(data))


def _image(pictures: list[Picture], number: int) -> ImageRow:
    picture = pictures[number % DRAWN]
    photograph = f"{picture.class_name}/{number}"
    return ImageRow(
        id=_id("image", number),
        sha256=_hash(number),
        signature=picture.prepared.signature.tobytes().hex(),
        class_name=picture.class_name,
        photograph=photograph,
        split=split_of(photograph),
        origin="upload",
        filename=f"{number}.jpg",
        width=picture.prepared.width,
        height=picture.prepared.height,
        bytes=len(picture.prepared.data),
        **asdict(picture.prepared.appearance),
        blob=picture.key,
        created_at=now() - timedelta(minutes=number),
    )


def _record(picture: Picture, number: int, version: str) -> Record:
    """Predictions over the last days, more lately than before."""
    share = (number / PREDICTIONS) ** 1.5
    record = Record.of(Prediction.of_grade(picture.grade, version), picture.grade, f"{number}.jpg")
    return replace(
        record,
        id=_id("prediction", number),
        created_at=now() - timedelta(days=OVER_DAYS * share),
    )


def _hash(number: int) -> str:
    return hashlib.sha256(f"picture {number}".encode()).hexdigest()


def _id(kind: str, number: int) -> str:
    random = np.random.default_rng([number, *kind.encode()])
    return UUID(bytes=random.bytes(16)).hex
