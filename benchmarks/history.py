"""Time of searches in the history, on both databases: `python -m benchmarks.history [rows]`.

Each search is a page of 50 with its total, as `GET /predictions` makes it; the median and the
longest of nine. Photos are not stored.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from sqlalchemy import insert, text

from api.predictions import search
from api.predictions.search import Filters, Order
from api.storage.db import Database
from api.storage.inspection_tables import InspectionPhotoRow, InspectionRow
from api.storage.tables import PredictionRow
from tests.postgres import binaries, fresh_database, running_server

ROWS, CHUNK, REPEATS, PAGE = 20_000, 5_000, 9, 50
CLASSES = ("freshapples", "freshbanana", "freshoranges", "rottenapples", "rottenbanana", "kiwi")
# The last class is rare.
SHARES = (0.3, 0.25, 0.2, 0.15, 0.0999, 0.0001)
START = datetime(2026, 1, 1, tzinfo=UTC)
LOT = f"{1:032x}"
SEARCHES: dict[str, tuple[Filters, Order]] = {
    "all, newest first": (Filters(), "newest"),
    "all, least sure first": (Filters(), "least_sure"),
    "a class": (Filters(class_name="rottenapples", recognised=True), "newest"),
    "a rare class": (Filters(class_name="kiwi", recognised=True), "newest"),
    "a rare class, least sure first": (Filters(class_name="kiwi"), "least_sure"),
    "a day": (Filters(since=START, until=START + timedelta(days=1)), "newest"),
    "a level and a range of confidence": (
        Filters(level="rotten", at_least=0.5, below=0.51),
        "newest",
    ),
    "a part of many file names": (Filters(text="IMG_00"), "newest"),
    "a part of one file name": (Filters(text="img_000123"), "newest"),
    "a lot by its name": (Filters(text="A-17"), "newest"),
    "an inspection": (Filters(inspection_id=LOT), "newest"),
    "a batch": (Filters(batch_id=f"{7:032x}"), "oldest"),
    "what was dismissed": (Filters(dismissed=True), "newest"),
}


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    for name, database in _databases():
        _fill(database, rows)
        print(f"{name}, {rows:,} predictions: milliseconds, median and longest of {REPEATS}")
        for title, (filters, order) in SEARCHES.items():
            times = [_time(database, filters, order) for _ in range(REPEATS)]
            print(f"  {title:<36}{median(times):8.1f}{max(times):8.1f}", flush=True)
        times = _deep_pages(database, rows)
        print(f"  {'pages in the middle':<36}{median(times):8.1f}{max(times):8.1f}", flush=True)
    return 0


@contextmanager
def _sqlite() -> Iterator[Database]:
    folder = Path(tempfile.mkdtemp(prefix="ripeline-bench-"))
    database = Database(f"sqlite:///{folder / 'catalog.db'}")
    try:
        yield database
    finally:
        database.close()
        shutil.rmtree(folder)


@contextmanager
def _postgresql() -> Iterator[Database | None]:
    programs = binaries()
    if programs is None:
        print("PostgreSQL is not installed here")
        yield None
        return
    with running_server(programs) as address:
        database = Database(fresh_database(address))
        yield database
        database.close()


def _databases() -> Iterator[tuple[str, Database]]:
    for name, opened in (("SQLite", _sqlite()), ("PostgreSQL", _postgresql())):
        with opened as database:
            if database is not None:
                database.upgrade()
                yield name, database


def _fill(database: Database, rows: int) -> None:
    rng = np.random.default_rng(0)
    for first in range(0, rows, CHUNK):
        with database.session() as session:
            session.execute(
                insert(PredictionRow), list(_chunk(rng, first, min(CHUNK, rows - first)))
            )
    with database.session() as session:
        session.add(
            InspectionRow(
                id=LOT, lot="A-17", supplier="Hof", kind="", max_rotten=0.05, confidence=0.95
            )
        )
        session.flush()
        for number in range(1, 101):
            session.add(
                InspectionPhotoRow(
                    id=f"{number:032x}",
                    inspection_id=LOT,
                    number=number,
                    sha256=f"{number:064x}",
                    width=9,
                    height=9,
                    ungraded=0,
                )
            )
    # As autovacuum does within minutes, and SQLite needs nothing.
    if not database.is_sqlite:
        with database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _chunk(rng: np.random.Generator, first: int, count: int) -> Iterator[dict[str, object]]:
    classes = rng.choice(len(CLASSES), size=count, p=SHARES)
    confidences = rng.beta(8, 1, size=count)
    for k, (kind, confidence) in enumerate(zip(classes, confidences, strict=True)):
        number, name = first + k, CLASSES[kind]
        score = float(rng.random())
        yield {
            "id": f"{number:032x}",
            "created_at": START + timedelta(seconds=30 * number),
            "model_version": "1-shipped",
            "predicted_class": name,
            "confidence": float(confidence),
            "recognised": bool(rng.random() > 0.05),
            "freshness_score": score,
            "freshness_level": ("rotten", "past_best", "fresh")[int(3 * score)],
            "probabilities": dict.fromkeys(CLASSES, float(confidence)),
            "milliseconds": 12.0,
            "filename": f"IMG_{number:07}.jpg",
            "signature": "0" * 160,
            "features": bytes(64),
            "blob": None,
            "sampled": False,
            "batch_id": f"{number // 500:032x}",
            "several": False,
            "dismissed_at": START if number % 1000 == 0 else None,
        }


def _time(database: Database, filters: Filters, order: Order) -> float:
    started = perf_counter()
    with database.reading() as session:
        search.find(session, filters, order, limit=PAGE)
        search.count(session, filters)
    return 1000 * (perf_counter() - started)


def _deep_pages(database: Database, rows: int) -> list[float]:
    """Pages that begin in the middle, in both orders."""
    times = []
    orders: tuple[Order, ...] = ("newest", "least_sure")
    with database.reading() as session:
        for order in orders:
            _, after = search.find(session, Filters(), order, offset=rows // 2, limit=PAGE)
            for _ in range(REPEATS):
                started = perf_counter()
                _, after = search.find(session, Filters(), order, after, limit=PAGE)
                times.append(1000 * (perf_counter() - started))
    return times


if __name__ == "__main__":
    sys.exit(main())
