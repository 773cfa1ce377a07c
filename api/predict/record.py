"""What is kept of a prediction, and how the photograph is brought down to what is kept of it."""

import io
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.dataset.naming import MAX_NAME, printable
from api.imaging.hashing import signature
from api.predict.runtime import Grade
from api.predict.schemas import Prediction
from api.predict.tables import PredictionRow

KEPT_SIDE = 1024
KEPT_QUALITY = 90


@dataclass(frozen=True)
class Record:
    """One prediction on its way to the catalog. `image` is the graded photograph, upright RGB."""

    id: str
    created_at: datetime
    model_version: str
    predicted_class: str
    confidence: float
    recognised: bool
    freshness_score: float | None
    probabilities: dict[str, float]
    milliseconds: float
    filename: str
    features: NDArray[np.float16]
    image: Image.Image | None

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
            probabilities=prediction.probabilities,
            milliseconds=prediction.inference_time_ms,
            filename=filename,
            features=grade.features,
            image=grade.image,
        )

    @property
    def image_bytes(self) -> int:
        """What the pixels take in memory."""
        return self.image.width * self.image.height * 3 if self.image else 0

    def without_image(self) -> "Record":
        return replace(self, image=None)

    @property
    def blob(self) -> str:
        """Where the photograph is kept: by day, so that what is too old can be told by its key."""
        return f"predicted/{self.created_at:%Y-%m-%d}/{self.id}.jpg"

    def row(self, blob: str | None) -> PredictionRow:
        return PredictionRow(
            id=self.id,
            created_at=self.created_at,
            model_version=self.model_version,
            predicted_class=self.predicted_class,
            confidence=self.confidence,
            recognised=self.recognised,
            freshness_score=self.freshness_score,
            probabilities=self.probabilities,
            milliseconds=self.milliseconds,
            filename=printable(self.filename)[-MAX_NAME:],
            signature=signature(self.image).tobytes().hex() if self.image else None,
            features=self.features.tobytes(),
            blob=blob,
        )


def kept_photograph(image: Image.Image) -> bytes:
    """A JPEG of at most 1024 pixels a side, with nothing of the file in it but what is seen."""
    if max(image.size) > KEPT_SIDE:
        image = image.copy()
        image.thumbnail((KEPT_SIDE, KEPT_SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=KEPT_QUALITY)
    return stream.getvalue()
