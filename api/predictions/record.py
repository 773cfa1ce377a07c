"""What is kept of a prediction."""

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


@dataclass(frozen=True)
class Record:
    """One prediction on its way to the catalog.

    `photograph` is what there is `to_keep`, and `seen` what there is `to_sign`. Both are None where
    there was no room for them.
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
    seen: Image.Image | None
    photograph: bytes | Image.Image | None

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
            seen=grade.seen,
            photograph=grade.kept,
        )

    @property
    def image_bytes(self) -> int:
        """What the pictures take in memory."""
        return sum(map(_bytes_of, (self.seen, self.photograph)))

    def without_image(self) -> "Record":
        return replace(self, seen=None, photograph=None)

    def row(self, blob: str | None) -> PredictionRow:
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
            signature=perceptual_hash(self.seen).tobytes().hex() if self.seen else None,
            features=self.features.tobytes(),
            blob=blob,
        )


def blob_key(records: Sequence[Record]) -> str:
    """The key under which the photographs of `records` are kept together.

    By day, so that what is too old can be told by it; by the newest, so that none goes too soon.
    """
    newest = max(records, key=lambda record: record.created_at)
    return f"predicted/{newest.created_at:%Y-%m-%d}/{newest.id}.jpgs"


def _bytes_of(picture: bytes | Image.Image | None) -> int:
    if isinstance(picture, Image.Image):
        return picture.width * picture.height * 4  # Pillow gives each pixel four.
    return len(picture or b"")
