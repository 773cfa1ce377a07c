"""Millions of predictions in an empty catalog, written in bulk, on both databases.

They are spread evenly over `SPAN` before `END`. Those of the last `KEPT` have the key of a photo,
but no file. One lot has a hundred photos; `LABELLED` predictions have feedback.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, text

from api.predictions.record import FOLDER
from api.storage.db import Base, Database
from api.storage.tables.inspections import InspectionPhotoRow, InspectionRow
from api.storage.tables.predictions import FeedbackRow, PredictionRow

CHUNK = 50_000
CLASSES = ("freshapples", "freshbanana", "freshoranges", "rottenapples", "rottenbanana", "kiwi")
# The last class is rare.
SHARES = (0.3, 0.25, 0.2, 0.15, 0.0999, 0.0001)
LEVELS = ("rotten", "past_best", "fresh")
VERSION = "1-shipped"
END = datetime(2026, 11, 1, tzinfo=UTC)
SPAN, KEPT = timedelta(days=180), timedelta(days=30)
# Shares as in the service.
SAMPLED_SHARE, DISMISSED_EVERY, BATCH = 0.02, 1000, 500
LABELLED = 5000
LOT = f"{1:032x}"
COLUMNS = (
    *("id", "created_at", "model_version", "predicted_class", "confidence", "recognised"),
    *("freshness_score", "freshness_level", "probabilities", "milliseconds", "filename"),
    *("signature", "features", "blob", "sampled", "batch_id", "several", "dismissed_at"),
)
Row = tuple[Any, ...]


def fill(database: Database, rows: int) -> None:
    """Migrate the catalog and write `rows` predictions; create the indexes afterwards."""
    database.upgrade()
    table = Base.metadata.tables[PredictionRow.__tablename__]
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    with database.engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    rng = np.random.default_rng(0)
    for first in range(0, rows, CHUNK):
        with database.engine.begin() as connection:
            _write(connection, _chunk(rng, first, min(CHUNK, rows - first), rows))
    with database.engine.begin() as connection:
        for index in indexes:
            index.create(connection)
    _add_lot_and_feedback(database, rows)
    # Autovacuum would do so within minutes. SQLite plans without statistics, as in the service.
    if not database.is_sqlite:
        outside = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with closing(outside) as connection:
            connection.execute(text("VACUUM ANALYZE"))


def prediction_id(number: int) -> str:
    """The id of the prediction with this number, the oldest first; as random as the service's
    ids."""
    return f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"


def _chunk(rng: np.random.Generator, first: int, count: int, rows: int) -> Iterator[Row]:
    classes = rng.choice(len(CLASSES), size=count, p=SHARES).tolist()
    confidences = rng.beta(8, 1, size=count).tolist()
    scores, chances = rng.random(count).tolist(), rng.random(count).tolist()
    for k in range(count):
        number, name, confidence = first + k, CLASSES[classes[k]], confidences[k]
        at = END - SPAN * ((rows - number) / rows)
        yield (
            prediction_id(number),
            at,
            VERSION,
            name,
            confidence,
            chances[k] > 0.05,
            scores[k],
            LEVELS[int(3 * scores[k])],
            json.dumps(dict.fromkeys(CLASSES, round(confidence, 4))),
            12.0,
            f"IMG_{number:07}.jpg",
            5 * prediction_id(number),  # Near that of no other photo.
            bytes(64),
            f"{FOLDER}/{at:%Y-%m-%d}/{number}.jpg" if at >= END - KEPT else None,
            chances[k] < SAMPLED_SHARE,
            f"{number // BATCH:032x}",
            False,
            at if number % DISMISSED_EVERY == 0 else None,
        )


def _write(connection: Connection, rows: Iterator[Row]) -> None:
    """Use COPY or the sqlite3 module: SQLAlchemy would take several times as long."""
    driver: Any = connection.connection.driver_connection
    names = ", ".join(COLUMNS)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(COLUMNS))
        driver.executemany(
            f"INSERT INTO predictions ({names}) VALUES ({marks})",  # noqa: S608
            (tuple(map(_for_sqlite, row)) for row in rows),
        )
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY predictions ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _for_sqlite(value: Any) -> Any:
    """A time as SQLAlchemy writes it."""
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def _add_lot_and_feedback(database: Database, rows: int) -> None:
    lot = {"id": LOT, "lot": "A-17", "supplier": "Hof", "kind": ""}
    photos = [
        {
            **{"id": prediction_id(number), "inspection_id": LOT, "number": number},
            **{"sha256": f"{number:064x}", "width": 9, "height": 9, "ungraded": 0},
        }
        for number in range(1, 101)
    ]
    labelled = np.linspace(0, rows - 1, min(LABELLED, rows)).astype(int).tolist()
    feedback = [
        {
            **{"prediction_id": prediction_id(number), "label": "freshapples"},
            **{"correct": number % 20 != 0, "created_at": END, "asked": number % 2 == 0},
        }
        for number in labelled
    ]
    with database.session() as session:
        session.execute(insert(InspectionRow), [{**lot, "max_rotten": 0.05, "confidence": 0.95}])
        session.execute(insert(InspectionPhotoRow), photos)
        session.execute(insert(FeedbackRow), feedback)
