"""Queries on the catalog's images."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from api.catalog import repository
from api.catalog.repository import image_filters
from api.storage.db import Database
from api.storage.tables.photos import ImageRow

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def make_row(number: int, class_name: str, split: str, origin: str = "upload") -> ImageRow:
    return ImageRow(
        id=f"{number:032x}",
        sha256=f"{number:064x}",
        signature=f"{number:0160x}",
        class_name=class_name,
        photograph=f"{class_name}/{number // 2}",
        split=split,
        origin=origin,
        filename=f"{number}.jpg",
        width=4,
        height=3,
        bytes=10,
        brightness=0.5,
        saturation=0.5,
        hue=30,
        blob=f"photographs/{number}.jpg",
        # Times come in pairs, and not in the order of the ids.
        created_at=START + timedelta(minutes=(7 - number) // 2),
        number=8 - number,
    )


@pytest.fixture
def filled(database: Database) -> Database:
    with database.session() as session:
        for number in range(6):
            session.add(make_row(number, "pear" if number < 4 else "plum", "train"))
        session.add(make_row(6, "plum", "test"))
        session.add(make_row(7, "plum", "test", "feedback"))
    return database


def all_images(session: Session) -> Sequence[ImageRow]:
    return repository.list_images(session, image_filters(), 0, 100)


def numbers(rows: object) -> list[int]:
    assert isinstance(rows, list)
    return [int(row.id, 16) for row in rows]


def test_pages_are_newest_first_and_do_not_overlap(filled: Database) -> None:
    with filled.reading() as session:
        pages = [
            repository.list_images(session, image_filters(), offset, 3) for offset in (0, 3, 6, 9)
        ]
        assert [numbers(page) for page in pages] == [[0, 1, 2], [3, 4, 5], [6, 7], []]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (image_filters(class_name="pear"), [0, 1, 2, 3]),
        (image_filters(split="test"), [6, 7]),
        (image_filters(origin="feedback"), [7]),
        (image_filters("plum", "test", "upload"), [6]),
        (image_filters("pear", "test"), []),
    ],
)
def test_filters_select_matching_images(
    filled: Database, filters: list[ColumnElement[bool]], expected: list[int]
) -> None:
    with filled.reading() as session:
        assert numbers(repository.list_images(session, filters, 0, 100)) == expected
        assert repository.count(session, filters) == len(expected)


def test_counts_are_by_class_split_and_origin(filled: Database) -> None:
    with filled.reading() as session:
        assert list(repository.counts(session)) == [
            ("pear", "train", "upload", 4),
            ("plum", "test", "feedback", 1),
            ("plum", "test", "upload", 1),
            ("plum", "train", "upload", 2),
        ]


def test_relabelling_changes_only_the_class(filled: Database) -> None:
    ids = [f"{number:032x}" for number in (1, 2, 99)]
    with filled.session() as session:
        before = {row.id: (row.split, row.photograph) for row in all_images(session)}
        assert sorted(repository.relabel(session, ids, "quince")) == ids[:2]
    with filled.reading() as session:
        rows = all_images(session)
        assert {row.id for row in rows if row.class_name == "quince"} == set(ids[:2])
        assert {row.id: (row.split, row.photograph) for row in rows} == before


def test_signatures_can_be_limited_to_newer_images(filled: Database) -> None:
    with filled.reading() as session:
        assert len(list(repository.signatures(session, None))) == 8
        assert repository.newest(session) == START + timedelta(minutes=3)
        late = dict(repository.signatures(session, 6))
        assert late == {f"{number:032x}": f"{number:0160x}" for number in (0, 1)}


def test_empty_catalog_returns_no_images(database: Database) -> None:
    with database.reading() as session:
        assert repository.newest(session) is None
        assert list(repository.counts(session)) == []
        assert all_images(session) == []
        assert repository.referenced_blobs(session) == set()
