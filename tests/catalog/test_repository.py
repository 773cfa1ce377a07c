"""Queries on the catalog's images."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from api.catalog import repository
from api.catalog.repository import image_filters
from api.storage.db import Database
from api.storage.tables import ImageRow

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_row(number: int, class_name: str, split: str, origin: str = "upload") -> ImageRow:
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
        # Two at a time, and not in the order of their ids.
        created_at=START + timedelta(minutes=(7 - number) // 2),
    )


@pytest.fixture
def filled(database: Database) -> Database:
    with database.session() as session:
        for number in range(6):
            session.add(a_row(number, "pear" if number < 4 else "plum", "train"))
        session.add(a_row(6, "plum", "test"))
        session.add(a_row(7, "plum", "test", "feedback"))
    return database


def every(session: Session) -> Sequence[ImageRow]:
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
    ("wanted", "found"),
    [
        (image_filters(class_name="pear"), [0, 1, 2, 3]),
        (image_filters(split="test"), [6, 7]),
        (image_filters(origin="feedback"), [7]),
        (image_filters("plum", "test", "upload"), [6]),
        (image_filters("pear", "test"), []),
    ],
)
def test_filters(filled: Database, wanted: list[ColumnElement[bool]], found: list[int]) -> None:
    with filled.reading() as session:
        assert numbers(repository.list_images(session, wanted, 0, 100)) == found
        assert repository.count(session, wanted) == len(found)


def test_counts(filled: Database) -> None:
    with filled.reading() as session:
        assert list(repository.counts(session)) == [
            ("pear", "train", "upload", 4),
            ("plum", "test", "feedback", 1),
            ("plum", "test", "upload", 1),
            ("plum", "train", "upload", 2),
        ]


def test_relabelling_changes_only_the_class(filled: Database) -> None:
    wanted = [f"{number:032x}" for number in (1, 2, 99)]
    with filled.session() as session:
        before = {row.id: (row.split, row.photograph) for row in every(session)}
        assert sorted(repository.relabel(session, wanted, "quince")) == wanted[:2]
    with filled.reading() as session:
        rows = every(session)
        assert {row.id for row in rows if row.class_name == "quince"} == set(wanted[:2])
        assert {row.id: (row.split, row.photograph) for row in rows} == before


def test_signatures_since(filled: Database) -> None:
    with filled.reading() as session:
        assert len(list(repository.signatures(session, None))) == 8
        newest = repository.newest(session)
        assert newest == START + timedelta(minutes=3)
        late = dict(repository.signatures(session, newest))
        assert late == {f"{number:032x}": f"{number:0160x}" for number in (0, 1)}


def test_an_empty_catalog(database: Database) -> None:
    with database.reading() as session:
        assert repository.newest(session) is None
        assert list(repository.counts(session)) == []
        assert every(session) == []
        assert repository.referenced_blobs(session) == set()
