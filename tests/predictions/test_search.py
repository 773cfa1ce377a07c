"""Searches of recorded predictions, on each database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.predictions import dismissal, search
from api.predictions.search import Filters, Order
from api.storage.db import Database
from api.storage.tables.inspections import InspectionPhotoRow, InspectionRow
from api.storage.tables.predictions import PredictionRow
from tests.predictions.samples import a_prediction

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def found(database: Database, order: Order = "oldest", **filters: Any) -> list[str]:
    """The file names that a search finds."""
    with database.reading() as session:
        rows, _ = search.find(session, Filters(**filters), order)
        assert search.count(session, Filters(**filters)) == len(rows)
    return [one.row.filename for one in rows]


@pytest.fixture
def lot(database: Database) -> str:
    """An inspection with one photo, among three other predictions."""
    rows: list[dict[str, Any]] = [
        {"filename": "Apple_1.jpg", "confidence": 0.9},
        {"filename": "banana.jpg", "predicted_class": "freshbanana", "confidence": 0.5},
        {"filename": "100%.jpg", "freshness_level": "rotten", "confidence": 0.7},
        {"filename": "cat.jpg", "recognised": False, "confidence": 0.99},
    ]
    for days, values in enumerate(rows):
        row = a_prediction(database, created_at=AT + timedelta(days=days), **values)
    return inspect(database, row)


def inspect(database: Database, row: PredictionRow) -> str:
    """Make a prediction the photo of an inspection."""
    inspection_id = uuid4().hex
    with database.session() as session:
        session.add(
            InspectionRow(
                id=inspection_id,
                lot="A-17",
                supplier="Hofgut Lindau",
                kind="",
                max_rotten=0.05,
                confidence=0.95,
            )
        )
        session.flush()
        session.add(
            InspectionPhotoRow(
                id=row.id,
                inspection_id=inspection_id,
                number=1,
                sha256="0" * 64,
                width=1,
                height=1,
                ungraded=0,
            )
        )
    return inspection_id


def test_filters(database: Database, lot: str) -> None:
    everything = ["Apple_1.jpg", "banana.jpg", "100%.jpg", "cat.jpg"]
    assert found(database) == everything
    assert found(database, class_name="freshbanana") == ["banana.jpg"]
    assert found(database, recognised=False) == ["cat.jpg"]
    assert found(database, level="rotten") == ["100%.jpg"]
    assert found(database, at_least=0.5, below=0.9) == ["banana.jpg", "100%.jpg"]
    assert found(database, model_version="v2") == []
    first, last = AT + timedelta(days=1), AT + timedelta(days=3)
    assert found(database, since=first, until=last) == ["banana.jpg", "100%.jpg"]
    assert found(database, inspection_id=lot) == ["cat.jpg"]
    assert found(database, inspection_id="0" * 32) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("apple", ["Apple_1.jpg"]),
        ("%", ["100%.jpg"]),
        ("_", ["Apple_1.jpg"]),
        ("a-1", ["cat.jpg"]),
        ("LINDAU", ["cat.jpg"]),
        ("pear", []),
    ],
)
@pytest.mark.usefixtures("lot")
def test_text_is_a_part_of_the_name_lot_or_supplier(
    database: Database, text: str, names: list[str]
) -> None:
    assert found(database, text=text) == names


@pytest.mark.usefixtures("lot")
def test_orders(database: Database) -> None:
    assert found(database, "newest") == found(database)[::-1]
    least_sure = ["cat.jpg", "banana.jpg", "100%.jpg", "Apple_1.jpg"]
    assert found(database, "least_sure") == least_sure


@pytest.mark.parametrize("order", ["newest", "oldest", "least_sure"])
def test_pages_do_not_shift(database: Database, order: Order) -> None:
    """Even if predictions have the same time, and new ones arrive while somebody turns the
    pages."""
    old = [a_prediction(database, created_at=AT, confidence=k // 3 / 10).id for k in range(9)]
    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        with database.reading() as session:
            page, after = search.find(session, Filters(), order, after, limit=4)
        seen += [one.row.id for one in page]
        if order == "newest":
            a_prediction(database, created_at=AT + timedelta(days=1))
    assert sorted(seen) == sorted(old)
    assert after is None


def test_lot_and_label_are_known(database: Database, lot: str) -> None:
    with database.reading() as session:
        [one], after = search.find(session, Filters(inspection_id=lot))
        assert (one.inspection_id, one.lot, one.label, after) == (lot, "A-17", None, None)
        assert search.of_prediction(session, one.row.id) == one


def test_dismissed_predictions_are_filtered(database: Database) -> None:
    rows = [a_prediction(database, filename=name) for name in ("a.jpg", "b.jpg")]
    with database.session() as session:
        dismissal.dismiss(session, rows[0].id)
    assert found(database, dismissed=True) == ["a.jpg"]
    assert found(database, dismissed=False) == ["b.jpg"]
