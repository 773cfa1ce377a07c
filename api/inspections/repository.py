"""Inspections in the catalog."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from api.core.errors import NotFoundError
from api.core.labels import Level
from api.inspections.acceptance import Tally
from api.storage.ids import by_id, is_id
from api.storage.tables.inspections import InspectionFruitRow, InspectionPhotoRow, InspectionRow
from api.storage.tables.predictions import PredictionRow

# What a fruit counts as: what a person said, else its grade; null if unknown.
LEVEL: ColumnElement[str | None] = case(
    (InspectionFruitRow.said.is_not(None), InspectionFruitRow.said),
    (InspectionFruitRow.recognised, InspectionFruitRow.freshness_level),
    else_=None,
)
PRESENT = InspectionPhotoRow.removed_at.is_(None)
COUNTED = and_(InspectionPhotoRow.counted.is_not(False), PRESENT)
IS_FRUIT = or_(InspectionFruitRow.said.is_(None), InspectionFruitRow.said != "no_fruit")


class InspectionNotFoundError(NotFoundError):
    code = "inspection-not-found"

    def __init__(self, inspection_id: str) -> None:
        super().__init__(
            f"There is no inspection '{inspection_id}'. GET /inspections lists the existing "
            "ones; they are deleted after RIPELINE_KEEP_INSPECTIONS_DAYS."
        )


class InspectionPhotoNotFoundError(NotFoundError):
    code = "photo-not-found"
    detail = "This inspection has no such photo. GET /inspections/{id}/photos lists its photos."


class FruitNotFoundError(NotFoundError):
    code = "fruit-not-found"
    detail = "This photo has no fruit of that number. GET /inspections/{id}/photos lists them."


@dataclass(frozen=True)
class Photo:
    """A photo of an inspection, its prediction, and its fruits by number."""

    row: InspectionPhotoRow
    prediction: PredictionRow
    fruits: Sequence[InspectionFruitRow]


def level_of(fruit: InspectionFruitRow) -> Level | None:
    """The level that a fruit counts as, like `LEVEL` in SQL; None if unknown or no fruit."""
    if fruit.said is not None:
        return None if fruit.said == "no_fruit" else fruit.said
    return fruit.freshness_level if fruit.recognised else None


def filters(
    search: str | None, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    """Query conditions. `search`: a part of the lot or the supplier; `until` is exclusive."""
    conditions: list[ColumnElement[bool]] = [InspectionRow.removed_at.is_(None)]
    if search:
        names = (InspectionRow.lot, InspectionRow.supplier)
        conditions.append(or_(*(name.icontains(search, autoescape=True) for name in names)))
    if since:
        conditions.append(InspectionRow.created_at >= since)
    if until:
        conditions.append(InspectionRow.created_at < until)
    return conditions


def find(
    session: Session, conditions: Sequence[ColumnElement[bool]], offset: int, limit: int
) -> Sequence[InspectionRow]:
    """A page of the inspections, newest first."""
    query = select(InspectionRow).where(*conditions)
    query = query.order_by(InspectionRow.created_at.desc(), InspectionRow.id)
    return session.scalars(query.offset(offset).limit(limit)).all()


def count(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    query = select(func.count()).select_from(InspectionRow).where(*conditions)
    return session.scalar(query) or 0


def get(session: Session, inspection_id: str, *, lock: bool = False) -> InspectionRow:
    """Raises InspectionNotFoundError. `lock`: until the end of the transaction."""
    row = by_id(session, InspectionRow, inspection_id, lock=lock)
    if row is None or row.removed_at is not None:
        raise InspectionNotFoundError(inspection_id)
    return row


def get_any(session: Session, inspection_id: str) -> InspectionRow:
    """The locked inspection, even if it was removed. Raises InspectionNotFoundError."""
    row = by_id(session, InspectionRow, inspection_id, lock=True)
    if row is None:
        raise InspectionNotFoundError(inspection_id)
    return row


def tallies(session: Session, inspection_ids: Iterable[str]) -> dict[str, Tally]:
    """The fruits of inspections by level, of the photos that count."""
    query = (
        select(InspectionPhotoRow.inspection_id, LEVEL, func.count())
        .join(InspectionFruitRow, InspectionFruitRow.photo_id == InspectionPhotoRow.id)
        .where(InspectionPhotoRow.inspection_id.in_(list(inspection_ids)), COUNTED, IS_FRUIT)
        .group_by(InspectionPhotoRow.inspection_id, LEVEL)
    )
    counts: dict[str, dict[str, int]] = {}
    for inspection_id, level, number in session.execute(query):
        counts.setdefault(inspection_id, {})[level or "unknown"] = number
    return {inspection_id: Tally(**levels) for inspection_id, levels in counts.items()}


def photo_counts(session: Session, inspection_ids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """For each inspection, its number of photos, and how many of them may show the same fruits as
    another photo and await a decision.
    """
    asked = case(
        ((InspectionPhotoRow.same_as.is_not(None)) & (InspectionPhotoRow.counted.is_(None)), 1),
        else_=0,
    )
    query = (
        select(InspectionPhotoRow.inspection_id, func.count(), func.sum(asked))
        .where(InspectionPhotoRow.inspection_id.in_(list(inspection_ids)), PRESENT)
        .group_by(InspectionPhotoRow.inspection_id)
    )
    return {one: (photos, int(open_ones)) for one, photos, open_ones in session.execute(query)}


def photo_count(session: Session, inspection_id: str) -> int:
    return photo_counts(session, [inspection_id]).get(inspection_id, (0, 0))[0]


def photos(session: Session, inspection_id: str, offset: int, limit: int) -> list[Photo]:
    """A page of an inspection's photos, newest first."""
    query = _photos_of(inspection_id).order_by(InspectionPhotoRow.number.desc())
    return _with_fruits(session, query.offset(offset).limit(limit))


def all_photos(session: Session, inspection_id: str) -> list[Photo]:
    """All photos of an inspection in order."""
    return _with_fruits(session, _photos_of(inspection_id).order_by(InspectionPhotoRow.number))


def photo(session: Session, inspection_id: str, photo_id: str) -> Photo:
    """Raises InspectionPhotoNotFoundError."""
    if not is_id(photo_id):
        raise InspectionPhotoNotFoundError()
    found = _with_fruits(
        session, _photos_of(inspection_id).where(InspectionPhotoRow.id == photo_id)
    )
    if not found:
        raise InspectionPhotoNotFoundError()
    return found[0]


def any_photo(
    session: Session, inspection_id: str, photo_id: str
) -> tuple[InspectionPhotoRow, PredictionRow]:
    """A photo, even if it was removed, and its prediction. Raises InspectionPhotoNotFoundError."""
    row = by_id(session, InspectionPhotoRow, photo_id)
    if row is None or row.inspection_id != inspection_id:
        raise InspectionPhotoNotFoundError()
    return row, session.get_one(PredictionRow, photo_id)


def photo_rows(session: Session, inspection_id: str) -> Sequence[InspectionPhotoRow]:
    """All photos of an inspection in order, including removed ones, with thumbnails but without
    their fruits.
    """
    query = select(InspectionPhotoRow).where(InspectionPhotoRow.inspection_id == inspection_id)
    query = query.options(undefer(InspectionPhotoRow.thumbnail))
    return session.scalars(query.order_by(InspectionPhotoRow.number)).all()


def forget_repetitions(session: Session, photo_id: str) -> dict[str, bool | None]:
    """Let photos that seemed to show the same fruits as this one count on their own.

    Returns whether each of them counted, as `InspectionPhotoRow.repeated_by`.
    """
    query = select(InspectionPhotoRow).where(InspectionPhotoRow.same_as == photo_id)
    counted: dict[str, bool | None] = {}
    for row in session.scalars(query):
        counted[row.id] = row.counted
        row.same_as = row.counted = None
    return counted


def fruit(found: Photo, number: int) -> InspectionFruitRow:
    """Raises FruitNotFoundError."""
    for one in found.fruits:
        if one.number == number:
            return one
    raise FruitNotFoundError()


def worst_fruits(
    session: Session, inspection_id: str, offset: int, limit: int
) -> Sequence[InspectionFruitRow]:
    """The fruits of the photos that count: rotten, past best, unknown, fresh, each by ascending
    freshness score.
    """
    order = case({"rotten": 0, "past_best": 1, "fresh": 3}, value=LEVEL, else_=2)
    score = func.coalesce(InspectionFruitRow.freshness_score, 0.0)
    query = (
        select(InspectionFruitRow)
        .join(InspectionPhotoRow, InspectionFruitRow.photo_id == InspectionPhotoRow.id)
        .where(InspectionPhotoRow.inspection_id == inspection_id, COUNTED, IS_FRUIT)
        .order_by(order, score, InspectionPhotoRow.number, InspectionFruitRow.number)
    )
    return session.scalars(query.offset(offset).limit(limit)).all()


def older_than(session: Session, cutoff: datetime, limit: int) -> Sequence[str]:
    query = select(InspectionRow.id).where(InspectionRow.created_at < cutoff)
    return session.scalars(query.order_by(InspectionRow.created_at).limit(limit)).all()


def clear_thumbnails(session: Session) -> None:
    """Clear those of photos that are no longer kept."""
    gone = select(PredictionRow.id).where(PredictionRow.blob.is_(None))
    session.execute(
        update(InspectionPhotoRow)
        .where(
            InspectionPhotoRow.thumbnail.is_not(None),
            InspectionPhotoRow.blob.is_(None),
            InspectionPhotoRow.id.in_(gone),
        )
        .values(thumbnail=None)
    )


def _photos_of(inspection_id: str) -> Select[*tuple[Any, ...]]:
    query: Select[*tuple[Any, ...]] = (
        select(InspectionPhotoRow, PredictionRow)
        .join(PredictionRow, PredictionRow.id == InspectionPhotoRow.id)
        .where(InspectionPhotoRow.inspection_id == inspection_id, PRESENT)
    )
    return query


def _with_fruits(session: Session, query: Select[*tuple[Any, ...]]) -> list[Photo]:
    rows = session.execute(query).all()
    fruits: dict[str, list[InspectionFruitRow]] = {row.id: [] for row, _ in rows}
    in_order = (
        select(InspectionFruitRow)
        .where(InspectionFruitRow.photo_id.in_(fruits))
        .order_by(InspectionFruitRow.photo_id, InspectionFruitRow.number)
    )
    for one in session.scalars(in_order):
        fruits[one.photo_id].append(one)
    return [Photo(row, prediction, fruits[row.id]) for row, prediction in rows]
