"""The table of runs. Every change names the state that it changes from, so none comes too late."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from api.storage.db import now
from api.storage.tables import ImageRow, ModelRow, RunRow


def active(session: Session) -> RunRow | None:
    return session.scalars(select(RunRow).where(RunRow.active == 1)).one_or_none()


def find(session: Session, run_id: str) -> RunRow | None:
    return session.get(RunRow, run_id)


def newest(session: Session, limit: int, offset: int = 0) -> Sequence[RunRow]:
    order = (RunRow.created_at.desc(), RunRow.id)
    return session.scalars(select(RunRow).order_by(*order).limit(limit).offset(offset)).all()


def last_succeeded(session: Session, mode: str) -> RunRow | None:
    found = select(RunRow).where(RunRow.mode == mode, RunRow.state == "succeeded")
    return session.scalars(found.order_by(RunRow.created_at.desc()).limit(1)).first()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(RunRow)) or 0


def queued_before(session: Session, moment: datetime) -> Sequence[str]:
    """The ids of runs that were queued before `moment` and that no worker has taken."""
    waiting = select(RunRow.id).where(RunRow.state == "queued", RunRow.created_at < moment)
    return session.scalars(waiting).all()


def lost(session: Session, moment: datetime) -> Sequence[RunRow]:
    """Running runs without a heartbeat since `moment`; locked, where another does not hold them."""
    silent = or_(RunRow.heartbeat_at.is_(None), RunRow.heartbeat_at < moment)
    found = select(RunRow).where(RunRow.state == "running", silent)
    return session.scalars(found.with_for_update(skip_locked=True)).all()


def claim(session: Session, run_id: str) -> bool:
    """Take a queued run for this worker; False where it is queued no more."""
    moment = now()
    return _change(
        session,
        run_id,
        "queued",
        state="running",
        started_at=moment,
        heartbeat_at=moment,
        message="Starting.",
    )


def heartbeat(session: Session, run_id: str) -> bool:
    """Say that the run's worker lives; False where the run is running no more."""
    return _change(session, run_id, "running", heartbeat_at=now())


def update_progress(session: Session, run_id: str, **values: Any) -> bool:
    """Write progress; False where the run is running no more."""
    return _change(session, run_id, "running", **values)


def model_of(session: Session, run_id: str) -> ModelRow | None:
    """The version that a run registered, if it came so far."""
    return session.scalars(select(ModelRow).where(ModelRow.run_id == run_id)).first()


def labels(session: Session) -> dict[str, str]:
    """The class of every image of the catalog, by its SHA-256."""
    rows = session.execute(select(ImageRow.sha256, ImageRow.class_name))
    return {row.sha256: row.class_name for row in rows}


def images(session: Session) -> Sequence[ImageRow]:
    """Every image of the catalog, in the order in which they came."""
    return session.scalars(select(ImageRow).order_by(ImageRow.created_at, ImageRow.id)).all()


def _change(session: Session, run_id: str, was: str, **values: Any) -> bool:
    where = update(RunRow).where(RunRow.id == run_id, RunRow.state == was)
    changed = session.execute(where.values(**values).returning(RunRow.id))
    return changed.first() is not None
