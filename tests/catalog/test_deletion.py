"""Deleting images, and sweeping blobs without a row."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.catalog.photo_files import ORPHAN_AGE, sweep_orphans
from api.catalog.service import remove_images
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.predictions import FeedbackRow, PredictionRow
from tests.catalog.photographs import Uploader, photo, rows_of


@pytest.fixture
def uploader(database: Database, blobs: Blobs) -> Uploader:
    return Uploader(database, blobs)


def age(blobs: Blobs, key: str, by: timedelta) -> None:
    then = (now() - by).timestamp()
    os.utime(Path(blobs.url) / key, (then, then))


def predict(database: Database, blob: str) -> None:
    with database.session() as session:
        session.add(
            PredictionRow(
                id="0" * 32,
                model_version="1",
                predicted_class="pear",
                confidence=1.0,
                recognised=True,
                probabilities={},
                milliseconds=1.0,
                blob=blob,
            )
        )


def test_row_and_blob_are_deleted(uploader: Uploader, database: Database, blobs: Blobs) -> None:
    first, second = uploader.store(photo(1)), uploader.store(photo(2))
    assert remove_images(database, blobs, [first.id, "0" * 32]) == [first.id]
    assert [row.id for row in rows_of(database)] == [second.id]
    assert list(blobs.keys("photographs")) == [second.blob]
    assert remove_images(database, blobs, [first.id]) == []


def test_feedback_outlives_its_training_image(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    row = uploader.store(photo(1))
    predict(database, "predictions/a.jpg")
    with database.session() as session:
        session.add(
            FeedbackRow(prediction_id="0" * 32, label="pear", correct=True, image_id=row.id)
        )
    remove_images(database, blobs, [row.id])
    with database.reading() as session:
        assert session.get_one(FeedbackRow, "0" * 32).image_id is None


def test_blob_of_a_prediction_is_kept(uploader: Uploader, database: Database, blobs: Blobs) -> None:
    row = uploader.store(photo(1))
    predict(database, row.blob)
    remove_images(database, blobs, [row.id])
    age(blobs, row.blob, 2 * ORPHAN_AGE)
    assert sweep_orphans(database, blobs) == 0
    assert blobs.exists(row.blob)


def test_only_old_orphans_are_swept(uploader: Uploader, database: Database, blobs: Blobs) -> None:
    row = uploader.store(photo(1))
    old, young, other = "photographs/aa/old.jpg", "photographs/aa/young.jpg", "models/1/head.npz"
    for key in (old, young, other):
        blobs.put(key, b"x")
    for key in (row.blob, old, other):
        age(blobs, key, ORPHAN_AGE + timedelta(minutes=1))
    age(blobs, young, ORPHAN_AGE - timedelta(minutes=1))
    assert sweep_orphans(database, blobs) == 1
    assert not blobs.exists(old)
    assert all(blobs.exists(key) for key in (row.blob, young, other))
    assert sweep_orphans(database, blobs) == 0


def test_service_sweeps_at_start_up(settings: Settings, tmp_path: Path) -> None:
    changed = settings.model_copy(update={"state_dir": tmp_path, "model_dir": tmp_path / "none"})
    database, blobs = Database(changed.database), Blobs(changed.storage)
    # A catalog without tables beside stored photos counts as lost: test_unusable_store.py.
    database.upgrade()
    database.close()
    blobs.put("photographs/aa/old.jpg", b"x")
    age(blobs, "photographs/aa/old.jpg", 2 * ORPHAN_AGE)
    with TestClient(create_app(changed)):
        pass
    assert not blobs.exists("photographs/aa/old.jpg")


class StoredDuringSweep(Blobs):
    """A store in which the photo is stored again while the sweep checks its age."""

    uploader: Uploader

    def modified_at(self, key: str) -> datetime:
        modified = super().modified_at(key)
        self.uploader.store(photo(1))
        return modified


def test_photo_stored_during_the_sweep_is_kept(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    row = uploader.store(photo(1))
    blob = blobs.get(row.blob)
    remove_images(database, blobs, [row.id])
    blobs.put(row.blob, blob)
    age(blobs, row.blob, 2 * ORPHAN_AGE)
    storage = StoredDuringSweep(blobs.url)
    storage.uploader = uploader
    assert sweep_orphans(database, storage) == 1
    [stored] = rows_of(database)
    assert list(blobs.keys("photographs")) == [stored.blob]


class StoresWhileDeleting(Blobs):
    """A store whose deletions take so long that another upload happens in between."""

    uploader: Uploader

    def delete(self, key: str) -> None:
        self.uploader.store(photo(2))
        super().delete(key)


def test_photos_are_added_while_the_store_deletes(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    row = uploader.store(photo(1))
    slow = StoresWhileDeleting(blobs.url)
    slow.uploader = uploader
    assert remove_images(database, slow, [row.id]) == [row.id]
    [added] = rows_of(database)
    assert list(blobs.keys("photographs")) == [added.blob]
