"""Sample predictions and their records."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.imaging.resize import encode_stored_image
from api.predictions.record import Record, blob_key
from api.predictions.recorder import add_predictions
from api.predictions.schemas import Prediction
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.predictions import PredictionRow
from tests.synthetic_images import draw_fruit

CLASSES = ("freshapples", "rottenapples")
FEATURES = np.arange(4, dtype=np.float16)


def a_record(
    image: Image.Image | None = None,
    *,
    filename: str = "apple.jpg",
    features: NDArray[np.float16] = FEATURES,
    **values: Any,
) -> Record:
    """The record of a prediction; `values` are named like the columns of its row."""
    field_of_column = {
        "id": "prediction_id",
        "created_at": "timestamp",
        "milliseconds": "inference_time_ms",
    }
    defaults: dict[str, Any] = {
        "prediction_id": uuid4().hex,
        "timestamp": now(),
        "model_version": "v1",
        "predicted_class": "freshapples",
        "prediction": "freshapples",
        "confidence": 0.9,
        "recognised": True,
        "fruit": "apple",
        "freshness": "fresh",
        "freshness_score": 0.9,
        "freshness_level": "fresh",
        "interpretation": "A fresh apple.",
        "probabilities": {"freshapples": 0.9, "rottenapples": 0.1},
        "inference_time_ms": 5.0,
    }
    overrides = {field_of_column.get(name, name): value for name, value in values.items()}
    return Record(Prediction(**{**defaults, **overrides}), filename, features, image, image)


def a_stored_prediction(
    database: Database,
    blobs: Blobs,
    seed: int = 0,
    at: datetime | None = None,
    *,
    sampled: bool = False,
    **values: Any,
) -> PredictionRow:
    """A prediction in the catalog with a stored image, drawn from `seed`."""
    image = draw_fruit("freshapples", seed)
    record = a_record(image, created_at=at or now(), **values)
    (key,) = blobs.put_many(blob_key([record]), [encode_stored_image(image)])
    return put(database, record.row(key, sampled=sampled))


def a_prediction(database: Database, *, sampled: bool = False, **values: Any) -> PredictionRow:
    """A prediction in the catalog without a stored image."""
    return put(database, a_record(**values).row(None, sampled=sampled))


def put(database: Database, row: PredictionRow) -> PredictionRow:
    add_predictions(database, [row])
    return row
