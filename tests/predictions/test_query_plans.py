"""Queries for the random sample and the last hours use the indexes made for them. SQLite uses a
partial index only if the query words its condition as the index does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from api.monitoring.summary import summarise
from api.predictions import review
from api.predictions.accuracy_in_use import accuracy_in_use
from api.predictions.retention import sweep_predicted
from api.storage.blobs import Blobs
from api.storage.db import Database, now

QUERIES: dict[str, Callable[[Session], object]] = {
    "ix_predictions_to_ask": lambda session: review.random_sample(session, 10),
    "COVERING INDEX ix_predictions_sampled": lambda session: accuracy_in_use(session, "v1", 0.9),
    "COVERING INDEX ix_predictions_newest": lambda session: summarise(session, 24, now()),
}


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
    database.upgrade()
    yield database
    database.close()


@pytest.mark.parametrize("index", QUERIES)
def test_query_uses_its_index(sqlite: Database, index: str) -> None:
    with planned(sqlite) as plan, sqlite.reading() as session:
        QUERIES[index](session)
    steps = [step for step in plan if "predictions" in step]
    assert any(f"{index} " in f"{step} " for step in steps), plan
    assert not any(step == "SCAN predictions" for step in steps), plan


def test_expired_photos_are_found_by_their_own_index(sqlite: Database, tmp_path: Path) -> None:
    with planned(sqlite) as plan:
        sweep_predicted(sqlite, Blobs(str(tmp_path)), keep_days=30)
    assert any("ix_predictions_kept" in step for step in plan), plan
    assert any("ix_inspection_photos_removed" in step for step in plan), plan
    assert not any("ix_predictions_newest" in step for step in plan), plan


@contextmanager
def planned(database: Database) -> Iterator[list[str]]:
    """The steps of SQLite's plans for the block's queries, added as the queries run."""
    steps: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            explained = connection.connection.driver_connection.cursor()
            explained.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.extend(row[3] for row in explained.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)
