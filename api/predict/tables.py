"""What was graded."""

from datetime import datetime

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base, UtcDateTime, now


class PredictionRow(Base):
    """One served prediction.

    `blob` is the photograph, where the retention setting lets it be kept; `signature` (hexadecimal)
    tells near-duplicates; `features` are float16 [n], the embedding on the leading directions of
    the grader's rejection, for drift.
    """

    __tablename__ = "predictions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    model_version: Mapped[str] = mapped_column(String(80), index=True)
    predicted_class: Mapped[str] = mapped_column(String(80))
    confidence: Mapped[float] = mapped_column(index=True)
    recognised: Mapped[bool]
    freshness_score: Mapped[float | None]
    probabilities: Mapped[dict[str, float]] = mapped_column(JSON)
    milliseconds: Mapped[float]
    filename: Mapped[str] = mapped_column(String(255), default="")
    signature: Mapped[str | None] = mapped_column(String(160))
    features: Mapped[bytes | None] = mapped_column(LargeBinary)
    blob: Mapped[str | None] = mapped_column(String(200))
