"""What retraining is doing, for `/status`."""

from sqlalchemy import select

from api.db import AWAY
from api.health.state import ServiceState
from api.retrain.tables import RunRow

IDLE = "idle"
UNKNOWN = "unknown"


def training_status(state: ServiceState) -> str:
    """The state of the newest run; `unknown` while the catalog is away."""
    if state.catalog_problem:
        return UNKNOWN
    newest = select(RunRow.state).order_by(RunRow.created_at.desc()).limit(1)
    try:
        with state.database.reading() as session:
            return session.scalar(newest) or IDLE
    except AWAY:
        return UNKNOWN
