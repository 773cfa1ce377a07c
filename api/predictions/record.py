"""The record of a prediction: what is stored of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.imaging.hashing import perceptual_hash
from api.core.labels import Level
from api.core.near_duplicates import MAX_NAME, printable
from api.model.predictor import Grade
from api.predictions.schemas import Prediction
from api.storage.tables import PredictionRow

FOLDER = "predicted"


@dataclass(frozen=True)
class Record:
    """A prediction on its way to the catalog, with the images from its `Grade`.

    The images are None where the queue had no room for them.
    """

    id: str
    created_at: datetime
    model_version: str
    predicted_class: str
    confidence: float
    recognised: bool
    freshness_score: float | None
    freshness_level: Level | None
    probabilities: dict[str, float]
    milliseconds: float
    filename: str
    features: NDArray[np.float16]
    hash_thumbnail: Image.Image | None
    stored_image: bytes | Image.Image | None

    @classmethod
    def of(cls, prediction: Prediction, grade: Grade, filename: str) -> "Record":
        return cls(
            id=prediction.prediction_id,
            created_at=prediction.timestamp,
            model_version=prediction.model_version,
            predicted_class=prediction.predicted_class,
            confidence=prediction.confidence,
            recognised=prediction.recognised,
            freshness_score=prediction.freshness_score,
            freshness_level=prediction.freshness_level,
            probabilities=prediction.probabilities,
            milliseconds=prediction.inference_time_ms,
            filename=filename,
            features=grade.features,
            hash_thumbnail=grade.hash_thumbnail,
            stored_image=grade.stored_image,
        )

    @property
    def image_bytes(self) -> int:
        """Memory of the images."""
        return sum(map(_memory, (self.hash_thumbnail, self.stored_image)))

    def without_images(self) -> "Record":
        return replace(self, hash_thumbnail=None, stored_image=None)

    def row(self, blob: str | None) -> PredictionRow:
        thumbnail = self.hash_thumbnail
        return PredictionRow(
            id=self.id,
            created_at=self.created_at,
            model_version=self.model_version,
            predicted_class=self.predicted_class,
            confidence=self.confidence,
            recognised=self.recognised,
            freshness_score=self.freshness_score,
            freshness_level=self.freshness_level,
            probabilities=self.probabilities,
            milliseconds=self.milliseconds,
            filename=printable(self.filename)[-MAX_NAME:],
            signature=perceptual_hash(thumbnail).tobytes().hex() if thumbnail else None,
            features=self.features.tobytes(),
            blob=blob,
        )


def blob_key(records: Sequence[Record]) -> str:
    """The storage key for the images of `records`, which share a blob.

    It has the day of the newest, so that retention can go by the key and deletes none too early.
    """
    newest = max(records, key=lambda record: record.created_at)
    return f"{FOLDER}/{newest.created_at:%Y-%m-%d}/{newest.id}.jpgs"


def _memory(image: bytes | Image.Image | None) -> int:
    if isinstance(image, Image.Image):
        return image.width * image.height * 4  # Pillow uses four bytes a pixel.
    return len(image or b"")
