"""The newest predictions of a version: what is held against its reference."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.predict.arrays import FloatArray
from api.predict.tables import PredictionRow

NEWEST = 500
WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Sample:
    """Up to 500 predictions of the last seven days, arrays as in `reference.Reference`.

    `features` has fewer rows where some were recorded without. `since` is when the oldest was made.
    """

    features: FloatArray
    confidence: FloatArray
    predicted: NDArray[np.str_]
    recognised: NDArray[np.bool_]
    since: datetime | None


def newest_sample(session: Session, version: str, directions: int, at: datetime) -> Sample:
    query = (
        select(
            PredictionRow.features,
            PredictionRow.confidence,
            PredictionRow.predicted_class,
            PredictionRow.recognised,
            PredictionRow.created_at,
        )
        .where(PredictionRow.model_version == version, PredictionRow.created_at > at - WITHIN)
        .order_by(PredictionRow.created_at.desc())
        .limit(NEWEST)
    )
    rows = session.execute(query).all()
    length = directions * np.dtype(np.float16).itemsize
    packed = b"".join(row.features for row in rows if row.features and len(row.features) == length)
    return Sample(
        features=np.frombuffer(packed, np.float16).reshape(-1, directions).astype(np.float32),
        confidence=np.array([row.confidence for row in rows], np.float32),
        predicted=np.array([row.predicted_class for row in rows], np.str_),
        recognised=np.array([row.recognised for row in rows], bool),
        since=rows[-1].created_at if rows else None,
    )
