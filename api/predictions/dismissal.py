"""Dismissing a prediction: a person says that its photo shows no fruit.

It leaves the review queue, counts neither as right nor as wrong, and nothing is learned from it.
Later feedback overrides the dismissal.
"""

from sqlalchemy.orm import Session

from api.core.errors import ConflictError
from api.predictions.history import PredictionNotFoundError
from api.storage.db import now
from api.storage.tables.predictions import FeedbackRow, PredictionRow


class HasFeedbackError(ConflictError):
    code = "has-feedback"
    detail = (
        "A person has said which class this prediction's photo is of, so it is not dismissed. "
        "Correct that with POST /predictions/{id}/feedback instead."
    )


def dismiss(session: Session, prediction_id: str) -> None:
    """Changes nothing the second time. Raises PredictionNotFoundError, HasFeedbackError."""
    row = _lock(session, prediction_id)
    if session.get(FeedbackRow, prediction_id) is not None:
        raise HasFeedbackError()
    if row.dismissed_at is None:
        row.dismissed_at = now()


def take_back(session: Session, prediction_id: str) -> None:
    """Changes nothing if it is not dismissed. Raises PredictionNotFoundError."""
    _lock(session, prediction_id).dismissed_at = None


def _lock(session: Session, prediction_id: str) -> PredictionRow:
    """The row, locked until the end of the transaction: nobody gives feedback meanwhile."""
    row = session.get(PredictionRow, prediction_id, with_for_update=True)
    if row is None:
        raise PredictionNotFoundError(prediction_id)
    return row
