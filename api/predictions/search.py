"""Searching recorded predictions: filters, orders, and pages that do not shift.

A page begins after the last prediction of the previous page (a cursor), so new predictions shift
nothing, and the last page costs as much as the first. The indexes `ix_predictions_newest` and
`ix_predictions_least_sure` hold all columns that the filters look at.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, undefer

from api.core.errors import UnprocessableError
from api.core.labels import Level
from api.predictions.history import PredictionNotFoundError
from api.storage.ids import is_id
from api.storage.tables.inspections import InspectionPhotoRow, InspectionRow
from api.storage.tables.predictions import FeedbackRow, PredictionRow

# oldest: in the order in which a batch was sent.
Order = Literal["newest", "oldest", "least_sure"]
# Not removed from its inspection.
_PRESENT = InspectionPhotoRow.removed_at.is_(None)


class BadCursorError(UnprocessableError):
    code = "bad-cursor"
    detail = (
        "This `after` is not one that this service gave for this order. Send the `next` of the "
        "page before, with the same order and filters, or leave it out for the first page."
    )


class Found(NamedTuple):
    """A prediction, its label from feedback, and the inspection that its photo belongs to."""

    row: PredictionRow
    label: str | None = None
    inspection_id: str | None = None
    lot: str | None = None


@dataclass(frozen=True)
class Filters:
    """What to look for; None matches any.

    `at_least`, `below`: bounds of the confidence. `until` is exclusive. `text`: a part of the
    file name, or of the lot or supplier of the inspection.
    """

    class_name: str | None = None
    recognised: bool | None = None
    level: Level | None = None
    at_least: float | None = None
    below: float | None = None
    model_version: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    batch_id: str | None = None
    inspection_id: str | None = None
    dismissed: bool | None = None
    text: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        row = PredictionRow
        equal = {
            row.predicted_class: self.class_name,
            row.recognised: self.recognised,
            row.freshness_level: self.level,
            row.model_version: self.model_version,
            row.batch_id: self.batch_id,
        }
        found = [column == value for column, value in equal.items() if value is not None]
        if self.at_least is not None:
            found.append(row.confidence >= self.at_least)
        if self.below is not None:
            found.append(row.confidence < self.below)
        if self.since is not None:
            found.append(row.created_at >= self.since)
        if self.until is not None:
            found.append(row.created_at < self.until)
        if self.dismissed is not None:
            dismissed = row.dismissed_at.is_not(None)
            found.append(dismissed if self.dismissed else row.dismissed_at.is_(None))
        if self.inspection_id is not None:
            of_lot = InspectionPhotoRow.inspection_id == self.inspection_id
            found.append(row.id.in_(select(InspectionPhotoRow.id).where(of_lot, _PRESENT)))
        if self.text:
            found.append(_has_text(self.text))
        return found


def find(
    session: Session,
    filters: Filters,
    order: Order = "newest",
    after: str | None = None,
    *,
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[Found], str | None]:
    """A page, and the cursor of the next one, or None at the end. Raises BadCursorError."""
    conditions = filters.conditions()
    if after is not None:
        conditions.append(_after(order, after))
    ids = select(PredictionRow.id).where(*conditions).order_by(*_columns(order))
    # One more tells whether there is another page.
    page = session.scalars(ids.offset(offset).limit(limit + 1)).all()
    rows = {found.row.id: found for found in _load(session, page[:limit])}
    found = [rows[one] for one in page[:limit]]
    return found, _cursor(order, found[-1].row) if len(page) > limit else None


def count(session: Session, filters: Filters) -> int:
    query = select(func.count()).select_from(PredictionRow).where(*filters.conditions())
    return session.scalar(query) or 0


def of_prediction(session: Session, prediction_id: str) -> Found:
    """Raises PredictionNotFoundError."""
    for found in _load(session, [prediction_id]):
        return found
    raise PredictionNotFoundError(prediction_id)


def _load(session: Session, ids: Sequence[str]) -> list[Found]:
    query = (
        select(PredictionRow, FeedbackRow.label, InspectionRow.id, InspectionRow.lot)
        .outerjoin(FeedbackRow, FeedbackRow.prediction_id == PredictionRow.id)
        .outerjoin(InspectionPhotoRow, and_(InspectionPhotoRow.id == PredictionRow.id, _PRESENT))
        .outerjoin(InspectionRow, InspectionRow.id == InspectionPhotoRow.inspection_id)
        .where(PredictionRow.id.in_(ids))
        .options(undefer(PredictionRow.fruits))
    )
    return [Found(row, label, name, lot) for row, label, name, lot in session.execute(query)]


def _has_text(text: str) -> ColumnElement[bool]:
    names = (InspectionRow.lot, InspectionRow.supplier)
    of_lots = (
        select(InspectionPhotoRow.id)
        .join(InspectionRow, InspectionRow.id == InspectionPhotoRow.inspection_id)
        .where(or_(*(name.icontains(text, autoescape=True) for name in names)), _PRESENT)
    )
    return or_(
        PredictionRow.filename.icontains(text, autoescape=True), PredictionRow.id.in_(of_lots)
    )


def _columns(order: Order) -> tuple[ColumnElement[Any], ...]:
    row = PredictionRow
    if order == "newest":
        return row.created_at.desc(), row.id.desc()
    if order == "oldest":
        return row.created_at.asc(), row.id.asc()
    return row.recognised.asc(), row.confidence.asc(), row.id.asc()


def _cursor(order: Order, row: PredictionRow) -> str:
    if order == "least_sure":
        values = [order, row.recognised, row.confidence, row.id]
    else:
        values = [order, row.created_at.isoformat(), row.id]
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _after(order: Order, cursor: str) -> ColumnElement[bool]:
    """Whether a prediction comes after the cursor in this order. Raises BadCursorError."""
    row = PredictionRow
    match _read(cursor):
        case ["least_sure", bool(recognised), float(confidence), name] if order == "least_sure":
            ranks = tuple_(row.recognised, row.confidence, row.id)
            return ranks > tuple_(
                literal(recognised), literal(confidence), literal(_checked_id(name))
            )
        case [same, str(moment), name] if same == order and order != "least_sure":
            place = literal(_moment(moment), row.created_at.type), literal(_checked_id(name))
            times = tuple_(row.created_at, row.id)
            return times < tuple_(*place) if order == "newest" else times > tuple_(*place)
    raise BadCursorError()


def _read(cursor: str) -> object:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return json.loads(urlsafe_b64decode(padded))
    except (ValueError, RecursionError) as error:
        raise BadCursorError() from error


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadCursorError() from error


def _checked_id(name: object) -> str:
    """PostgreSQL refuses some characters in text."""
    if not (isinstance(name, str) and is_id(name)):
        raise BadCursorError()
    return name
