"""What was graded, and writing it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from api.dataset.labels import Level
from api.db import Base, Database, UtcDateTime, now

_KEPT: dict[str, Any] = {
    "sqlite_where": text("blob IS NOT NULL"),
    "postgresql_where": text("blob IS NOT NULL"),
}


class PredictionRow(Base):
    """One served prediction.

    `freshness_level` is what was answered, by the thresholds of that moment. `blob` is the
    photograph, where the retention setting lets it be kept; `signature` (hexadecimal) tells
    near-duplicates; `features` are float16 [n], the `drift_features` of the photograph.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_version_time", "model_version", "created_at"),
        # Few photographs are kept of many predictions: what asks for these looks at no others.
        Index("ix_predictions_kept", "created_at", **_KEPT),
        Index("ix_predictions_worth_a_look", "recognised", "confidence", **_KEPT),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    model_version: Mapped[str] = mapped_column(String(80))
    predicted_class: Mapped[str] = mapped_column(String(80))
    confidence: Mapped[float]
    recognised: Mapped[bool]
    freshness_score: Mapped[float | None]
    freshness_level: Mapped[Level | None] = mapped_column(String(10))
    probabilities: Mapped[dict[str, float]] = mapped_column(JSON)
    milliseconds: Mapped[float]
    filename: Mapped[str] = mapped_column(String(255), default="")
    signature: Mapped[str | None] = mapped_column(String(160))
    features: Mapped[bytes | None] = mapped_column(LargeBinary)
    blob: Mapped[str | None] = mapped_column(String(200))


_COLUMNS = [column.name for column in PredictionRow.__table__.columns]


def add_predictions(database: Database, rows: Sequence[PredictionRow]) -> None:
    """Add all in one transaction. Those that are there already stay: a try may have come through
    although the connection was lost before its answer.
    """
    values = [{name: getattr(row, name) for name in _COLUMNS} for row in rows]
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    with database.session() as session:
        session.execute(insert(PredictionRow).on_conflict_do_nothing(), values)
