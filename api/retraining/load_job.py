"""What the catalog says of a run that is to be performed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from api.core.appearance import Appearance
from api.registry import repository as registry
from api.retraining import repository, service
from api.retraining.errors import NoChampionError
from api.retraining.training_rows import CatalogPhoto
from api.storage.db import Database
from api.storage.tables import ImageRow


@dataclass(frozen=True)
class StoredJob:
    """One run, the version that it starts from, and the photographs as they are now."""

    id: str
    mode: service.Mode
    options: dict[str, Any]
    started_by: str
    champion: str
    photos: tuple[CatalogPhoto, ...]


def load_job(database: Database, run_id: str) -> StoredJob:
    """Raises UnknownRunError, NoChampionError."""
    with database.reading() as session:
        row = service.get(session, run_id)
        champion = registry.champion(session)
        if champion is None:
            raise NoChampionError()
        photos = tuple(_photo(image) for image in repository.images(session))
        mode: service.Mode = "full" if row.mode == "full" else "fast"
        return StoredJob(run_id, mode, row.options, row.started_by, champion, photos)


def _photo(image: ImageRow) -> CatalogPhoto:
    return CatalogPhoto(
        sha256=image.sha256,
        class_name=image.class_name,
        photograph=image.photograph,
        split=image.split,  # type: ignore[arg-type]  # One of the three, by who writes it.
        origin=image.origin,
        signature=np.frombuffer(bytes.fromhex(image.signature), np.uint8),
        blob=image.blob,
        width=image.width,
        height=image.height,
        appearance=Appearance(image.brightness, image.saturation, image.hue),
    )
