"""Background recording, even while the catalog or blob store is unavailable."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DataError, OperationalError

from api.core import telemetry
from api.predictions import recorder as module
from api.predictions.recorder import Recorder, add_predictions
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.predictions import PredictionRow
from tests.predictions.samples import a_record
from tests.synthetic_images import draw_fruit
from tests.waiting import PATIENCE_SECONDS, until


def rows(database: Database) -> dict[str, PredictionRow]:
    with database.reading() as session:
        return {row.id: row for row in session.scalars(select(PredictionRow))}


def dropped(kind: str) -> float:
    value: float = telemetry.RECORDER_DROPPED.labels(kind)._value.get()
    return value


@pytest.fixture
def catalog_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The catalog is unavailable until this event is set."""
    back = threading.Event()
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)

    def add(database: Database, batch: list[PredictionRow]) -> None:
        if not back.is_set():
            raise OperationalError("INSERT", None, Exception("the server is gone"))
        original(database, batch)

    original = add_predictions
    monkeypatch.setattr(module, "add_predictions", add)
    yield back
    back.set()


def test_records_are_in_the_catalog_after_a_flush(database: Database, blobs: Blobs) -> None:
    image = draw_fruit("freshapples")
    records = [a_record(image) for _ in range(5)]
    with Recorder(database, blobs, store_images=True) as recorder:
        for record in records:
            recorder.put(record)
        assert recorder.flush(PATIENCE_SECONDS)
        stored = rows(database)
    assert set(stored) == {record.id for record in records}
    for row in stored.values():
        assert row.blob is not None
        assert blobs.get(row.blob).startswith(b"\xff\xd8")
        assert row.signature


def test_closing_flushes_the_queue(database: Database, blobs: Blobs) -> None:
    with Recorder(database, blobs, store_images=False) as recorder:
        for _ in range(450):  # More than two batches.
            recorder.put(a_record())
    assert len(rows(database)) == 450


def test_without_retention_no_image_is_stored(
    database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    with Recorder(database, blobs, store_images=False) as recorder:
        recorder.put(a_record(draw_fruit("freshapples")))
    (row,) = rows(database).values()
    assert row.blob is None
    assert row.signature
    assert list(blobs.keys("predicted")) == []


def test_full_queue_drops_images_then_records(
    database: Database, blobs: Blobs, catalog_back: threading.Event
) -> None:
    image = draw_fruit("freshapples")
    size = a_record(image).image_bytes
    photographs, records = dropped("photograph"), dropped("record")
    with Recorder(database, blobs, True, capacity=5, image_bytes=2 * size) as recorder:
        recorder.put(a_record())
        until(lambda: not recorder._queue)  # Until the thread has taken it, and retries.
        sent = [a_record(image) for _ in range(7)]
        for record in sent:
            recorder.put(record)
        assert dropped("photograph") - photographs == 3
        assert dropped("record") - records == 2
        catalog_back.set()
        # The first flush may hit an attempt that began earlier.
        until(lambda: recorder.flush(PATIENCE_SECONDS))
    stored = rows(database)
    assert [stored[record.id].blob is not None for record in sent[:5]] == [True, True] + [False] * 3
    assert not {record.id for record in sent[5:]} & set(stored)


def test_nothing_is_lost_while_the_catalog_is_unavailable(
    database: Database, blobs: Blobs, catalog_back: threading.Event
) -> None:
    with Recorder(database, blobs, store_images=False) as recorder:
        for _ in range(300):
            recorder.put(a_record())
        assert not recorder.flush(PATIENCE_SECONDS)
        assert rows(database) == {}
        catalog_back.set()
        until(lambda: recorder.flush(PATIENCE_SECONDS))  # As above.
    assert len(rows(database)) == 300


def test_nobody_waits_long_for_a_catalog_that_is_unavailable(
    database: Database, blobs: Blobs, catalog_back: threading.Event
) -> None:
    """Each waiting request holds a thread."""
    with (
        Recorder(database, blobs, store_images=False) as recorder,
        ThreadPoolExecutor(1) as pool,
    ):
        recorder.put(a_record())
        flushed = pool.submit(recorder.flush, 100 * PATIENCE_SECONDS)
        try:
            assert not flushed.result(PATIENCE_SECONDS)
        finally:
            catalog_back.set()


def test_closing_has_a_deadline(
    database: Database,
    blobs: Blobs,
    catalog_back: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if the next attempt were due long after it."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 100 * PATIENCE_SECONDS)
    before = dropped("record")
    with (
        ThreadPoolExecutor(1) as pool,
        Recorder(database, blobs, store_images=False) as recorder,
    ):
        recorder.put(a_record())
        closed = pool.submit(recorder.close, timeout=0.2)
        try:
            closed.result(PATIENCE_SECONDS)
            assert not recorder._thread.is_alive()
            assert dropped("record") - before == 1
        finally:
            catalog_back.set()


def test_failing_store_loses_only_the_images(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(blobs, "put_many", fail)
    before = dropped("photograph")
    with Recorder(database, blobs, store_images=True) as recorder:
        recorder.put(a_record(draw_fruit("freshapples")))
    (row,) = rows(database).values()
    assert row.blob is None
    assert dropped("photograph") - before == 1


def test_invalid_row_does_not_fail_the_others(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(database: Database, batch: list[PredictionRow]) -> None:
        if any(row.filename == "bad" for row in batch):
            raise DataError("INSERT", None, Exception("bad value"))
        original(database, batch)

    original = add_predictions
    monkeypatch.setattr(module, "add_predictions", add)
    with Recorder(database, blobs, store_images=False) as recorder:
        for name in ("a", "bad", "b"):
            recorder.put(a_record(filename=name))
    assert {row.filename for row in rows(database).values()} == {"a", "b"}


def test_inserting_is_idempotent(database: Database) -> None:
    row = a_record().row(None)
    add_predictions(database, [row])
    add_predictions(database, [row, a_record().row(None)])
    assert len(rows(database)) == 2


def test_put_is_thread_safe(database: Database, blobs: Blobs) -> None:
    def put_many() -> None:
        for _ in range(100):
            recorder.put(a_record())

    with Recorder(database, blobs, store_images=False) as recorder:
        threads = [threading.Thread(target=put_many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(rows(database)) == 400
