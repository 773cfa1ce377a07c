"""Queries on the runs table. An update names the state it expects, so a late one does nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from api.storage.db import now
from api.storage.tables import ImageRow, ModelRow, RunRow


def active(session: Session) -> RunRow | None:
    """The run that is queued or running; there is at most one."""
    return session.scalars(select(RunRow).where(RunRow.active == 1)).one_or_none()


def newest(session: Session, limit: int, offset: int = 0) -> Sequence[RunRow]:
    order = (RunRow.created_at.desc(), RunRow.id)
    return session.scalars(select(RunRow).order_by(*order).limit(limit).offset(offset)).all()


def last_succeeded(session: Session, mode: str) -> RunRow | None:
    succeeded = select(RunRow).where(RunRow.mode == mode, RunRow.state == "succeeded")
    return session.scalars(succeeded.order_by(RunRow.created_at.desc()).limit(1)).first()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(RunRow)) or 0


def queued_before(session: Session, moment: datetime) -> Sequence[str]:
    """Ids of the runs that were queued before `moment` and that no worker has claimed."""
    queued = select(RunRow.id).where(RunRow.state == "queued", RunRow.created_at < moment)
    return session.scalars(queued).all()


def lost(session: Session, moment: datetime) -> Sequence[RunRow]:
    """Running runs without a heartbeat since `moment`, locked, but for those others have locked."""
    is_silent = or_(RunRow.heartbeat_at.is_(None), RunRow.heartbeat_at < moment)
    running = select(RunRow).where(RunRow.state == "running", is_silent)
    return session.scalars(running.with_for_update(skip_locked=True)).all()


def claim(session: Session, run_id: str) -> bool:
    """Claim a queued run for this worker; False if it is no longer queued."""
    moment = now()
    return _update(
        session,
        run_id,
        "queued",
        state="running",
        started_at=moment,
        heartbeat_at=moment,
        message="Starting.",
    )


def update_running(session: Session, run_id: str, **values: Any) -> bool:
    """Write `values`; False if the run is no longer running."""
    return _update(session, run_id, "running", **values)


def model_of(session: Session, run_id: str) -> ModelRow | None:
    """The version that the run registered, if it got that far."""
    return session.scalars(select(ModelRow).where(ModelRow.run_id == run_id)).first()


def image_groups(session: Session) -> Sequence[Any]:
    """What a plan needs of every catalog image."""
    columns = (
        ImageRow.id,
        ImageRow.sha256,
        ImageRow.class_name,
        ImageRow.photograph,
        ImageRow.split,
        ImageRow.filename,
        ImageRow.unreadable,
        (ImageRow.width * ImageRow.height).label("pixels"),
    )
    return session.execute(select(*columns)).all()


def mark_unreadable(session: Session, reasons: Mapping[str, str]) -> None:
    """Record by SHA-256 why images cannot be read, and clear that of all others."""
    for image in session.scalars(select(ImageRow).where(ImageRow.unreadable.is_not(None))):
        image.unreadable = reasons.get(image.sha256)
    for sha256, reason in reasons.items():
        where = update(ImageRow).where(ImageRow.sha256 == sha256)
        session.execute(where.values(unreadable=reason))


def images(session: Session) -> Sequence[ImageRow]:
    """Every catalog image, oldest first."""
    return session.scalars(select(ImageRow).order_by(ImageRow.created_at, ImageRow.id)).all()


def _update(session: Session, run_id: str, expected_state: str, **values: Any) -> bool:
    where = update(RunRow).where(RunRow.id == run_id, RunRow.state == expected_state)
    updated = session.execute(where.values(**values).returning(RunRow.id))
    return updated.first() is not None
