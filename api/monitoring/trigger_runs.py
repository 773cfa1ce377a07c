"""The runs that triggers have started, and how often they are tried again.

A run that failed or was interrupted has learned no photos, and its cause may pass: memory, the
store or the worker was gone. But a run that always fails must not be started for ever.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.storage.tables.models import RunRow
from api.storage.tables.triggers import TriggerRow

# Consecutive runs of a trigger without a result, after which it waits for other photos.
MAX_ATTEMPTS = 3


def ended_without_result(session: Session, trigger: TriggerRow) -> bool:
    """Whether the trigger's last run failed or was interrupted, and no run has succeeded since."""
    run = session.get(RunRow, trigger.last_run_id) if trigger.last_run_id else None
    if run is None or run.state not in ("failed", "interrupted"):
        return False
    later = select(RunRow.id).where(RunRow.state == "succeeded", RunRow.number > run.number)
    return session.scalars(later.limit(1)).first() is None


def record_run(
    session: Session, trigger: TriggerRow, run: RunRow, photos: str | None, at: datetime
) -> None:
    """Note a new run on the locked row of its trigger. `photos`: as in `RetrainPlan.photos`."""
    goes_on = trigger.attempts < MAX_ATTEMPTS or photos == trigger.last_photos
    is_repeated = goes_on and ended_without_result(session, trigger)
    trigger.attempts = trigger.attempts + 1 if is_repeated else 1
    trigger.last_fired_at, trigger.last_run_id, trigger.last_photos = at, run.id, photos
