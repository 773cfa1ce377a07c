"""Stored images expire; predictions stay."""

from datetime import timedelta

import pytest

from api.predictions.record import blob_key
from api.predictions.retention import sweep_predicted
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables import PredictionRow
from tests.predictions.samples import a_kept_prediction, a_record


def blob_of(database: Database, row: PredictionRow) -> str | None:
    with database.reading() as session:
        return session.get_one(PredictionRow, row.id).blob


def test_only_expired_images_are_deleted(database: Database, blobs: Blobs) -> None:
    at = now()
    old = a_kept_prediction(database, blobs, at=at - timedelta(days=30, minutes=1))
    young = a_kept_prediction(database, blobs, at=at - timedelta(days=29, hours=23))
    assert sweep_predicted(database, blobs, keep_days=30, at=at) == 1
    assert blob_of(database, old) is None
    assert blob_of(database, young) == young.blob
    assert young.blob is not None
    assert [young.blob.startswith(key) for key in blobs.keys("predicted")] == [True]
    assert sweep_predicted(database, blobs, keep_days=30, at=at) == 0


def test_images_without_a_row_expire_by_their_day(database: Database, blobs: Blobs) -> None:
    at = now()
    old, young = at - timedelta(days=32), at - timedelta(days=29)
    for day in (old, young):
        blobs.put_many(blob_key([a_record(created_at=day)]), [b"x"])
    sweep_predicted(database, blobs, keep_days=30, at=at)
    (left,) = blobs.keys("predicted")
    assert left.startswith(f"predicted/{young:%Y-%m-%d}/")


def test_switching_retention_off_deletes_all(database: Database, blobs: Blobs) -> None:
    row = a_kept_prediction(database, blobs, at=now() - timedelta(minutes=1))
    assert sweep_predicted(database, blobs, keep_days=0) == 1
    assert blob_of(database, row) is None


def test_an_interrupted_sweep_is_finished_by_the_next(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_kept_prediction(database, blobs, at=now() - timedelta(days=40))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(database, "session", die)
        with pytest.raises(KeyboardInterrupt):
            sweep_predicted(database, blobs, keep_days=30)
    assert row.blob is not None
    assert not blobs.exists(row.blob)
    assert sweep_predicted(database, blobs, keep_days=30) == 1
    assert blob_of(database, row) is None
