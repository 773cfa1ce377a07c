"""What is stored about a prediction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.formatting import clean_line
from api.core.imaging.hashing import content_hash, perceptual_hash
from api.core.near_duplicates import MAX_NAME
from api.model.grade import Grade
from api.predictions.schemas import FoundFruits, Prediction
from api.storage.ids import id_of
from api.storage.tables.predictions import PredictionRow

FOLDER = "predicted"


def prediction_id_of(key: str, position: int, data: bytes) -> str:
    """The prediction ID of a photo in a request that may be sent again with the same `key`."""
    return id_of(key, position, content_hash(data))


@dataclass(frozen=True)
class Record:
    """A prediction on its way to the catalog, with features and images from its `Grade`.

    `fruits`: those of the photo as JSON, see `FoundFruits`. They and the images are None if the
    queue had no room for them.
    """

    prediction: Prediction
    filename: str
    features: NDArray[np.float16]
    hash_thumbnail: Image.Image | None
    stored_image: bytes | Image.Image | None
    fruits: str | None = None
    batch_id: str | None = None

    @classmethod
    def of(
        cls, prediction: Prediction, grade: Grade, filename: str, batch_id: str | None = None
    ) -> "Record":
        fruits = FoundFruits.of(prediction)
        if prediction.explanation or fruits:
            # As objects they are larger than all the rest.
            prediction = prediction.model_copy(update={"explanation": None, "instances": None})
        return cls(
            prediction,
            filename,
            grade.features,
            grade.hash_thumbnail,
            grade.stored_image,
            fruits.model_dump_json() if fruits else None,
            batch_id,
        )

    @property
    def id(self) -> str:
        return self.prediction.prediction_id

    @property
    def image_bytes(self) -> int:
        """Memory of the images and the fruits."""
        images = sum(map(_memory, (self.hash_thumbnail, self.stored_image)))
        return images + len(self.fruits or "")

    def without_images(self) -> "Record":
        """A copy without images and fruits."""
        return replace(self, hash_thumbnail=None, stored_image=None, fruits=None)

    def row(self, blob: str | None, *, sampled: bool = False) -> PredictionRow:
        prediction, thumbnail = self.prediction, self.hash_thumbnail
        thresholds = prediction.freshness_thresholds
        return PredictionRow(
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
            filename=clean_line(self.filename)[-MAX_NAME:],
            signature=perceptual_hash(thumbnail).tobytes().hex() if thumbnail else None,
            features=self.features.tobytes(),
            blob=blob,
            sampled=sampled,
            batch_id=self.batch_id,
            several=prediction.several,
            fruits=self.fruits,
            rotten_below=thresholds.rotten_below if thresholds else None,
            fresh_from=thresholds.fresh_from if thresholds else None,
        )


def blob_key(records: Sequence[Record]) -> str:
    """The storage key for the images of `records`, which share a blob.

    It has the day of the newest record, so that retention by key deletes no image too early.
    """
    newest = max((record.prediction for record in records), key=lambda one: one.timestamp)
    return f"{FOLDER}/{newest.timestamp:%Y-%m-%d}/{newest.prediction_id}.jpgs"


def _memory(image: bytes | Image.Image | None) -> int:
    if isinstance(image, Image.Image):
        return image.width * image.height * 4  # Pillow uses four bytes a pixel.
    return len(image or b"")
