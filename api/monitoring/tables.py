"""What people set for each trigger."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from api.db import Base, UtcDateTime


class TriggerRow(Base):
    """One trigger that was changed from its defaults or has fired. Null means the default.

    `scheduled_at` is when `schedule` was set: what was due before does not count.
    """

    __tablename__ = "triggers"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    enabled: Mapped[bool | None]
    threshold: Mapped[float | None]
    cooldown_hours: Mapped[float | None]
    schedule: Mapped[str | None] = mapped_column(String(20))
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_fired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_run_id: Mapped[str | None] = mapped_column(String(32))
