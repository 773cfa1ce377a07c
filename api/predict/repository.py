"""Writing predictions."""

from collections.abc import Sequence

from sqlalchemy.dialects import postgresql, sqlite

from api.db import Database
from api.predict.tables import PredictionRow

_COLUMNS = [column.name for column in PredictionRow.__table__.columns]


def add_predictions(database: Database, rows: Sequence[PredictionRow]) -> None:
    """Add all in one transaction. Those that are there already stay: a try may have come through
    although the connection was lost before its answer.
    """
    values = [{name: getattr(row, name) for name in _COLUMNS} for row in rows]
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    with database.session() as session:
        session.execute(insert(PredictionRow).on_conflict_do_nothing(), values)
