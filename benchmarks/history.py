"""Times the catalog's queries on both databases: `python -m benchmarks.history [rows]`.

Each search is a page of 50 with its total, as for `GET /predictions`. Then come the queries of the
Monitoring page, the triggers and the review queue, and deleting photos. Prints the median and the
longest of nine.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy.orm import Session

from api.monitoring.drift import load_sample
from api.monitoring.summary import summarise
from api.predictions import review, search
from api.predictions.accuracy_in_use import accuracy_in_use
from api.predictions.retention import sweep_predicted
from api.predictions.search import Filters, Order
from api.storage.blobs import Blobs
from api.storage.db import Database
from benchmarks.machine import describe_machine
from benchmarks.prediction_rows import END, KEPT, LOT, VERSION, fill
from tests.postgres import binaries, fresh_database, running_server

ROWS, REPEATS, PAGE = 20_000, 9, 50
DAY = END - timedelta(days=60)
SEARCHES: dict[str, tuple[Filters, Order]] = {
    "all, newest first": (Filters(), "newest"),
    "all, least sure first": (Filters(), "least_sure"),
    "a class": (Filters(class_name="rottenapples", recognised=True), "newest"),
    "a rare class": (Filters(class_name="kiwi", recognised=True), "newest"),
    "a rare class, least sure first": (Filters(class_name="kiwi"), "least_sure"),
    "a day": (Filters(since=DAY, until=DAY + timedelta(days=1)), "newest"),
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


QUERIES: dict[str, Callable[[Session], object]] = {
    "summary of a day": lambda session: summarise(session, 24, END),
    "summary of a week": lambda session: summarise(session, 24 * 7, END),
    "summary of 30 days": lambda session: summarise(session, 24 * 30, END),
    "drift: the sample of the day": lambda session: load_sample(session, VERSION, 32, END),
    "accuracy in use": lambda session: accuracy_in_use(session, VERSION, 0.9),
    "review queue: the random sample": lambda session: review.random_sample(session, PAGE),
    "review queue: the least sure": lambda session: review.least_sure(session, PAGE),
}


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(describe_machine())
    for name, database in _databases():
        started = perf_counter()
        fill(database, rows)
        print(f"{name}, {rows:,} predictions, written in {perf_counter() - started:.0f} s")
        print(f"milliseconds, median and longest of {REPEATS}")
        for title, (filters, order) in SEARCHES.items():
            _show(title, [_time(database, filters, order) for _ in range(REPEATS)])
        _show("pages in the middle", _deep_pages(database, rows))
        for title, query in QUERIES.items():
            _show(title, [_time_of(database, query) for _ in range(REPEATS)])
        _show("retention: photos of an hour", _retention(database))
    return 0


def _show(title: str, times: list[float]) -> None:
    print(f"  {title:<36}{median(times):8.1f}{max(times):8.1f}", flush=True)


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
                yield name, database


def _time(database: Database, filters: Filters, order: Order) -> float:
    started = perf_counter()
    with database.reading() as session:
        search.find(session, filters, order, limit=PAGE)
        search.count(session, filters)
    return 1000 * (perf_counter() - started)


def _time_of(database: Database, query: Callable[[Session], object]) -> float:
    started = perf_counter()
    with database.reading() as session:
        query(session)
    return 1000 * (perf_counter() - started)


def _retention(database: Database) -> list[float]:
    """Delete what has expired within the last hour; its files do not exist."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        blobs = Blobs(folder)
        for hour in range(1, REPEATS + 1):
            started = perf_counter()
            sweep_predicted(database, blobs, KEPT.days, END + timedelta(hours=hour))
            times.append(1000 * (perf_counter() - started))
    return times


def _deep_pages(database: Database, rows: int) -> list[float]:
    """Pages from the middle, in both orders."""
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
