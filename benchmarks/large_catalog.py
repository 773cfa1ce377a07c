"""A large catalog of drawn images, created within two minutes.

The rows of uploads and predictions are written in bulk. `DRAWN` images are distinct; the other rows
share their blobs but have hashes of their own.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np

from api.catalog.photo_files import FOLDER
from api.catalog.sanitize import SanitizedImage, sanitize
from api.core.splits import split_of
from api.model.grade import Grade
from api.predictions.record import Record, blob_key
from api.predictions.recorder import add_predictions
from api.predictions.schemas import Prediction
from api.registry.model_reloader import load_shipped
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.photos import ImageRow
from tests.drawn_tray import draw_tray_of, rearranged
from tests.ood_images import OOD_KINDS, draw_ood
from tests.synthetic_images import KINDS, draw_fruit, encode

IMAGES = 10_000
PREDICTIONS = 20_000
DRAWN = 1500
# The newest predictions have a stored image.
KEPT = 500
SIDES = (96, 120, 160, 200)
OVER_DAYS = 7
# Trays photographed for the largest lot, with six fruits each.
INSPECTIONS, TRAYS, LOT = 60, 24, "A-0"
CHUNK = 1000


@dataclass(frozen=True)
class DrawnImage:
    """A drawn image as stored, with the default model's grade."""

    class_name: str
    key: str
    file: SanitizedImage
    grade: Grade


def fill(state: Path) -> None:
    """Write the catalog and the blobs into the empty folder `state`."""
    settings = Settings(state_dir=state, database_url="", storage_url="")
    database, blobs = Database(settings.database), Blobs(settings.storage)
    database.upgrade()
    try:
        images = list(_drawn(settings))
        for image in images:
            blobs.put(image.key, image.file.data)
        for first in range(0, IMAGES, CHUNK):
            with database.session() as session:
                session.add_all(_image(images, k) for k in range(first, first + CHUNK))
        version = load_shipped(settings).manifest.version
        for first in range(0, PREDICTIONS, CHUNK):
            numbers = range(first, first + CHUNK)
            records = [(k, _record(images[k % DRAWN], k, version)) for k in numbers]
            kept = [(k, record) for k, record in records if k < KEPT]
            keys = _stored_images(blobs, images, kept) if kept else {}
            add_predictions(database, [record.row(keys.get(k)) for k, record in records])
    finally:
        database.close()


def inspect(api_url: str) -> str:
    """Open `INSPECTIONS` inspections, add `TRAYS` photos to one of them, and return its id."""
    with httpx.Client(base_url=api_url, timeout=60, trust_env=False) as api:
        for number in reversed(range(INSPECTIONS)):
            body = {"lot": f"A-{number}", "supplier": f"Farm {number % 7}", "max_rotten": 0.05}
            opened = api.post("/inspections", json=body).raise_for_status().json()
        for number in range(TRAYS):
            tray = draw_tray_of(rearranged(number), width=600, seed=number)
            files = {"files": (f"tray-{number}.jpg", encode(tray, "JPEG", quality=90))}
            api.post(f"/inspections/{opened['id']}/photos", files=files).raise_for_status()
    return str(opened["id"])


def _stored_images(
    blobs: Blobs, images: list[DrawnImage], records: list[tuple[int, Record]]
) -> dict[int, str]:
    data = [images[k].file.data for k, _ in records]
    keys = blobs.put_many(blob_key([record for _, record in records]), data)
    return dict(zip((k for k, _ in records), keys, strict=True))


def _drawn(settings: Settings) -> Iterator[DrawnImage]:
    predictor = load_shipped(settings)
    names = [*KINDS, *OOD_KINDS]
    for seed in range(DRAWN):
        name = names[seed % len(names)]
        draw = draw_fruit if name in KINDS else draw_ood
        data = encode(draw(name, seed, SIDES[seed // len(names) % len(SIDES)]), "JPEG", quality=90)
        file = sanitize(data)
        key = f"{FOLDER}/{_hash(seed)[:2]}/{_hash(seed)}{file.suffix}"
        yield DrawnImage(name, key, file, predictor.predict(data))


def _image(images: list[DrawnImage], number: int) -> ImageRow:
    image = images[number % DRAWN]
    photograph = f"{image.class_name}/{number}"
    return ImageRow(
        id=_id("image", number),
        sha256=_hash(number),
        signature=image.file.signature.tobytes().hex(),
        class_name=image.class_name,
        photograph=photograph,
        split=split_of(photograph),
        origin="upload",
        filename=f"{number}.jpg",
        width=image.file.width,
        height=image.file.height,
        bytes=len(image.file.data),
        **asdict(image.file.appearance),
        blob=image.key,
        created_at=now() - timedelta(minutes=number),
    )


def _record(image: DrawnImage, number: int, version: str) -> Record:
    """A prediction from the last OVER_DAYS days; recent days get more."""
    share = (number / PREDICTIONS) ** 1.5
    prediction = Prediction.of_grade(image.grade, version)
    prediction.prediction_id = _id("prediction", number)
    prediction.timestamp = now() - timedelta(days=OVER_DAYS * share)
    return Record.of(prediction, image.grade, f"{number}.jpg")


def _hash(number: int) -> str:
    return hashlib.sha256(f"picture {number}".encode()).hexdigest()


def _id(kind: str, number: int) -> str:
    random = np.random.default_rng([number, *kind.encode()])
    # The API only looks up ids of this form.
    return UUID(bytes=random.bytes(16), version=4).hex
