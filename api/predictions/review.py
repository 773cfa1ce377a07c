"""The review queue: a random sample of the predictions, then those most worth labelling.

The sample tells how good the grader is in use; the others make it better. A sampled prediction is
only asked about as part of the sample, however unsure the model was: otherwise the unsure ones in
the sample would be answered more often.
"""

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.catalog.duplicate_index import read_signatures
from api.core.imaging.hashing import near_rows
from api.storage.tables.inspections import InspectionPhotoRow
from api.storage.tables.predictions import FeedbackRow, PredictionRow

PAGE = 500
# Rows to read at most: near-duplicates are skipped, so a queue takes more rows than its length.
MAX_SCANNED = 5000
# Near-duplicates of this many recently labelled predictions, and dismissed ones, are skipped too.
MAX_LABELLED = 5000


def random_sample(session: Session, limit: int) -> list[PredictionRow]:
    """Up to `limit` predictions of the sample that nobody has been asked about, the oldest first.

    Includes those with unasked feedback, and near-duplicates, so that the sample stays random.
    """
    asked = select(FeedbackRow.prediction_id).where(FeedbackRow.asked.is_(True))
    query = (
        select(PredictionRow)
        .where(
            PredictionRow.sampled.is_(True),
            PredictionRow.blob.is_not(None),
            PredictionRow.dismissed_at.is_(None),
            PredictionRow.id.not_in(asked),
        )
        .order_by(PredictionRow.created_at, PredictionRow.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def least_sure(session: Session, limit: int) -> list[PredictionRow]:
    """Up to `limit` predictions: unrecognised first, then by confidence, lowest first.

    They have a stored image and no feedback, are not dismissed and not in the sample, and are no
    near-duplicates of each other or of labelled or dismissed predictions. Photos of inspections are
    left out: people correct those in the inspection, fruit by fruit.
    """
    seen = read_signatures([*_labelled_signatures(session), *_dismissed_signatures(session)])
    labelled = select(FeedbackRow.prediction_id)
    query = (
        select(PredictionRow)
        .where(
            PredictionRow.blob.is_not(None),
            PredictionRow.dismissed_at.is_(None),
            PredictionRow.id.not_in(labelled),
            PredictionRow.id.not_in(select(InspectionPhotoRow.id)),
            PredictionRow.sampled.is_not(True),
        )
        .order_by(PredictionRow.recognised, PredictionRow.confidence, PredictionRow.id)
        .limit(MAX_SCANNED)
        .execution_options(yield_per=PAGE)
    )
    queue: list[PredictionRow] = []
    with session.scalars(query) as rows:
        for row in rows:
            if row.signature is not None:
                signature = read_signatures([row.signature])
                if len(near_rows(signature[0], seen)):
                    continue
                seen = np.concatenate([seen, signature])
            queue.append(row)
            if len(queue) == limit:
                break
    return queue


def _labelled_signatures(session: Session) -> list[str]:
    """Signatures of the predictions that were labelled last."""
    query = (
        select(PredictionRow.signature)
        .join(FeedbackRow, PredictionRow.id == FeedbackRow.prediction_id)
        .where(PredictionRow.signature.is_not(None))
        .order_by(FeedbackRow.created_at.desc())
        .limit(MAX_LABELLED)
    )
    return [signature for signature in session.scalars(query) if signature]


def _dismissed_signatures(session: Session) -> list[str]:
    """Signatures of the predictions that were dismissed last."""
    query = (
        select(PredictionRow.signature)
        .where(PredictionRow.dismissed_at.is_not(None), PredictionRow.signature.is_not(None))
        .order_by(PredictionRow.dismissed_at.desc())
        .limit(MAX_LABELLED)
    )
    return [signature for signature in session.scalars(query) if signature]
