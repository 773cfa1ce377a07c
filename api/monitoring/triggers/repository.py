"""What people set for the triggers, and when each fired last."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.monitoring.tables import TriggerRow


def rows(session: Session) -> dict[str, TriggerRow]:
    return {row.name: row for row in session.scalars(select(TriggerRow))}


def locked(session: Session, name: str) -> TriggerRow:
    """The row of a trigger, made where there is none; nobody else changes it meanwhile.

    Raises IntegrityError where another process makes it at the same moment.
    """
    row = session.get(TriggerRow, name, with_for_update=True, populate_existing=True)
    if row is None:
        row = TriggerRow(name=name)
        session.add(row)
        session.flush()
    return row
