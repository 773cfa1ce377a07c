"""Stored images expire, predictions stay."""

from datetime import timedelta

import pytest

from api.predictions.record import blob_key
from api.predictions.retention import sweep_predicted
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.predictions import PredictionRow
from tests.predictions.samples import a_record, a_stored_prediction


def blob_of(database: Database, row: PredictionRow) -> str | None:
    with database.reading() as session:
        return session.get_one(PredictionRow, row.id).blob


def test_only_expired_images_are_deleted(database: Database, blobs: Blobs) -> None:
    at = now()
    old = a_stored_prediction(database, blobs, at=at - timedelta(days=30, minutes=1))
    recent = a_stored_prediction(database, blobs, at=at - timedelta(days=29, hours=23))
    assert sweep_predicted(database, blobs, keep_days=30, at=at) == 1
    assert blob_of(database, old) is None
    assert blob_of(database, recent) == recent.blob
    assert recent.blob is not None
    assert [recent.blob.startswith(key) for key in blobs.keys("predicted")] == [True]
    assert sweep_predicted(database, blobs, keep_days=30, at=at) == 0


def test_images_without_a_row_expire_by_their_date(database: Database, blobs: Blobs) -> None:
    at = now()
    old, recent = at - timedelta(days=32), at - timedelta(days=29)
    for day in (old, recent):
        blobs.put_many(blob_key([a_record(created_at=day)]), [b"x"])
    sweep_predicted(database, blobs, keep_days=30, at=at)
    (remaining,) = blobs.keys("predicted")
    assert remaining.startswith(f"predicted/{recent:%Y-%m-%d}/")


def test_disabling_retention_deletes_all_images(database: Database, blobs: Blobs) -> None:
    row = a_stored_prediction(database, blobs, at=now() - timedelta(minutes=1))
    assert sweep_predicted(database, blobs, keep_days=0) == 1
    assert blob_of(database, row) is None


def test_interrupted_sweep_is_finished_by_the_next(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_stored_prediction(database, blobs, at=now() - timedelta(days=40))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(database, "session", interrupt)
        with pytest.raises(KeyboardInterrupt):
            sweep_predicted(database, blobs, keep_days=30)
    assert row.blob is not None
    assert not blobs.exists(row.blob)
    assert sweep_predicted(database, blobs, keep_days=30) == 1
    assert blob_of(database, row) is None
