"""What people said of predictions."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base, UtcDateTime, now


class FeedbackRow(Base):
    """The right label of one prediction; a later word on the same prediction replaces it.

    `correct` says whether the prediction was right; `image_id` is the training image made of it,
    where its photograph was still kept.
    """

    __tablename__ = "feedback"

    prediction_id: Mapped[str] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True
    )
    label: Mapped[str] = mapped_column(String(80))
    correct: Mapped[bool]
    image_id: Mapped[str | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
