"""The thresholds of the freshness levels that somebody set."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base, UtcDateTime, now


class FreshnessThresholdsRow(Base):
    """One row, for all processes; none while the model's own thresholds hold."""

    __tablename__ = "freshness_thresholds"
    __table_args__ = (CheckConstraint("id = 1", name="one_pair_of_thresholds"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rotten_below: Mapped[float]
    fresh_from: Mapped[float]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
