"""Queries on the runs table. An update names the state it expects, so a late one does nothing."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from api.storage.db import now
from api.storage.tables.models import ModelRow, RunRow
from api.storage.tables.photos import BoxedPhotoRow, ImageRow


def active(session: Session) -> RunRow | None:
    """The run that is queued or running; there is at most one."""
    return session.scalars(select(RunRow).where(RunRow.active == 1)).one_or_none()


def newest(session: Session, limit: int, offset: int = 0) -> Sequence[RunRow]:
    """The active run first."""
    order = (RunRow.active.is_(None), RunRow.number.desc(), RunRow.created_at.desc(), RunRow.id)
    return session.scalars(select(RunRow).order_by(*order).limit(limit).offset(offset)).all()


def last_succeeded(session: Session, mode: str) -> RunRow | None:
    succeeded = select(RunRow).where(RunRow.mode == mode, RunRow.state == "succeeded")
    newest = succeeded.order_by(RunRow.number.desc(), RunRow.created_at.desc())
    return session.scalars(newest.limit(1)).first()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(RunRow)) or 0


def queued(session: Session) -> Sequence[str]:
    """IDs of the runs that no worker has claimed."""
    return session.scalars(select(RunRow.id).where(RunRow.state == "queued")).all()


def heartbeats(session: Session) -> dict[str, datetime | None]:
    """The last heartbeats of the running runs by ID."""
    running = select(RunRow.id, RunRow.heartbeat_at).where(RunRow.state == "running")
    return dict(session.execute(running).all())


def lock_running(session: Session, run_ids: Collection[str]) -> Sequence[RunRow]:
    """Those of these runs that are running, locked; runs that others have locked are skipped."""
    running = select(RunRow).where(RunRow.state == "running", RunRow.id.in_(run_ids))
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
    """Write `values` and a heartbeat; False if the run is no longer running."""
    return _update(session, run_id, "running", heartbeat_at=now(), **values)


def model_of(session: Session, run_id: str) -> ModelRow | None:
    """The version that the run registered, if it got that far; the last of several."""
    registered = select(ModelRow).where(ModelRow.run_id == run_id)
    newest = registered.order_by(ModelRow.number.desc(), ModelRow.version.desc())
    return session.scalars(newest).first()


def image_groups(session: Session) -> Sequence[Any]:
    """What a plan needs to know about every catalog image."""
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


def mark_unreadable(
    session: Session, reasons: Mapping[str, str], were_read: Collection[str]
) -> None:
    """Record by SHA-256 why images and boxed photos cannot be read, and clear those of `were_read`.

    A run reads only what it needs, or fails early, so it knows nothing about other photos.
    """
    marked: list[ImageRow | BoxedPhotoRow] = [
        *session.scalars(select(ImageRow).where(ImageRow.unreadable.is_not(None))),
        *session.scalars(select(BoxedPhotoRow).where(BoxedPhotoRow.unreadable.is_not(None))),
    ]
    for photo in marked:
        if photo.sha256 in were_read:
            photo.unreadable = None
    for table in (ImageRow, BoxedPhotoRow):
        for sha256, reason in reasons.items():
            where = update(table).where(table.sha256 == sha256)
            session.execute(where.values(unreadable=reason))


def images(session: Session) -> Sequence[ImageRow]:
    """Every catalog image, oldest first."""
    return session.scalars(select(ImageRow).order_by(ImageRow.created_at, ImageRow.id)).all()


def _update(session: Session, run_id: str, expected_state: str, **values: Any) -> bool:
    where = update(RunRow).where(RunRow.id == run_id, RunRow.state == expected_state)
    updated = session.execute(where.values(**values).returning(RunRow.id))
    return updated.first() is not None
