"""Reading and writing the thresholds that somebody set."""

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from api.db import now
from api.freshness.tables import FreshnessThresholdsRow
from api.predict.levels import LevelThresholds


def user_thresholds(session: Session) -> LevelThresholds | None:
    """None where nobody set any."""
    row = session.get(FreshnessThresholdsRow, 1, populate_existing=True)
    return LevelThresholds(row.rotten_below, row.fresh_from) if row else None


def set_thresholds(session: Session, rotten_below: float, fresh_from: float) -> None:
    """For all processes, in place of what was set before."""
    values = {"rotten_below": rotten_below, "fresh_from": fresh_from, "changed_at": now()}
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(FreshnessThresholdsRow)
    session.execute(
        insert.values(id=1, **values).on_conflict_do_update(
            index_elements=[FreshnessThresholdsRow.id], set_=values
        )
    )


def forget_thresholds(session: Session) -> None:
    session.execute(delete(FreshnessThresholdsRow))
