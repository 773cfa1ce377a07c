"""Removed photos can be restored unchanged, and are deleted for good after their time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import undefer

from api.catalog import boxed_repository, removal
from api.catalog.boxed_photos import Annotation, BoxedPhotoStore
from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos
from api.catalog.photo_files import ORPHAN_AGE, sweep_orphans
from api.catalog.removal import Restoring, keep_boxed, keep_images, sweep_removed
from api.model.training_index import TrainingIndex
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.photos import ImageRow
from api.storage.tables.predictions import FeedbackRow, PredictionRow
from tests.catalog.photographs import Uploader, photo, rows_of
from tests.catalog.test_boxed_photos import FRUIT, box_photo
from tests.catalog.test_deletion import age, predict
from tests.catalog.test_service import Meanwhile
from tests.synthetic_images import draw_fruit, encode

PREDICTION = "0" * 32


@pytest.fixture
def uploader(database: Database, blobs: Blobs) -> Uploader:
    return Uploader(database, blobs)


def restore(uploader: Uploader, *photo_ids: str) -> Restoring:
    known = KnownPhotos(uploader.blobs, TrainingIndex.empty(), None)
    return removal.restore(uploader.database, known, photo_ids)


def columns_of(database: Database) -> list[dict[str, Any]]:
    """All columns of all images except time and number, which restoring sets anew."""
    names = [column.name for column in ImageRow.__table__.columns]
    names = [name for name in names if name not in {"created_at", "number"}]
    with database.reading() as session:
        query = select(ImageRow).options(undefer(ImageRow.thumbnail)).order_by(ImageRow.id)
        return [{name: getattr(row, name) for name in names} for row in session.scalars(query)]


def give_feedback(database: Database, image_id: str | None, label: str) -> None:
    predict(database, "predicted/a.jpg")
    with database.session() as session:
        session.add(
            FeedbackRow(prediction_id=PREDICTION, label=label, correct=True, image_id=image_id)
        )


def removed_ids(database: Database) -> Sequence[str]:
    with database.reading() as session:
        return [row.id for row in removal.list_removed(session, 0, 10)]


def test_images_come_back_as_they_were(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    rows = [uploader.store(photo(seed), "pear", f"{seed}.jpg") for seed in range(3)]
    ids = [row.id for row in rows[:2]]
    give_feedback(database, ids[0], "pear")
    before = columns_of(database)

    assert sorted(keep_images(database, [*ids, "f" * 32])) == sorted(ids)
    assert [row.id for row in rows_of(database)] == [rows[2].id]
    for row in rows:
        age(blobs, row.blob, 2 * ORPHAN_AGE)
    assert sweep_orphans(database, blobs) == 0

    assert sorted(restore(uploader, *ids, "f" * 32).restored) == sorted(ids)
    assert columns_of(database) == before
    assert removed_ids(database) == []
    with database.reading() as session:
        assert session.get_one(FeedbackRow, PREDICTION).image_id == ids[0]
    assert restore(uploader, *ids) == Restoring()


def test_boxed_photo_comes_back_as_it_was(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    box_photo(database, blobs, photo(1))
    other = FRUIT._replace(box=FRUIT.box._replace(x_max=20.5), class_name=None)
    predict(database, "predicted/a.jpg")
    with database.reading() as session:
        index = DuplicateIndex(session, KnownPhotos(blobs, TrainingIndex.empty(), None))
    store = BoxedPhotoStore(database, blobs, index)
    boxes = Annotation([other, FRUIT], False)
    _, before = store.add(
        photo(2), boxes, origin="feedback", filename="b.jpg", prediction_id=PREDICTION
    )
    photo_id = before.row.id

    keep_boxed(database, photo_id)
    with database.reading() as session:
        assert boxed_repository.count(session) == 1
        assert boxed_repository.box_counts(session) == {"freshapples": 1}
    assert restore(uploader, photo_id).restored == [photo_id]

    with database.reading() as session:
        row, after = boxed_repository.get(session, photo_id)
        assert after == before.boxes == [other, FRUIT]
        for column in set(row.__table__.columns.keys()) - {"created_at", "number"}:
            assert getattr(row, column) == getattr(before.row, column), column


def test_photos_that_were_added_again_are_not_restored(
    uploader: Uploader, database: Database
) -> None:
    """The same file and a copy of another were uploaded since: both are known, so neither is
    restored."""
    first, second = uploader.store(photo(1), "pear"), uploader.store(photo(2), "pear")
    keep_images(database, [first.id, second.id])
    again = uploader.store(photo(1), "plum")
    copy = uploader.store(photo(2, "PNG"), "plum")

    outcome = restore(uploader, first.id, second.id)

    assert (outcome.restored, sorted(outcome.known)) == ([], sorted([first.id, second.id]))
    assert {row.id: row.class_name for row in rows_of(database)} == {
        again.id: "plum",
        copy.id: "plum",
    }
    assert (again.split, again.photograph != first.photograph) == (first.split, True)


def test_upload_in_progress_sees_restored_photos(uploader: Uploader, database: Database) -> None:
    row = uploader.store(photo(1))
    uploader.store(photo(2))
    keep_images(database, [row.id])
    under_way = Uploader(database, uploader.blobs)
    restore(uploader, row.id)
    assert under_way.upload_duplicate(photo(1, "PNG")).image_id == row.id


def test_upload_sees_photos_restored_after_its_check(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    row = uploader.store(photo(1))
    under_way = Uploader(database, blobs)
    keep_images(database, [row.id])
    under_way.store(photo(2))
    under_way.blobs = Meanwhile(blobs.url, lambda: restore(uploader, row.id))
    assert under_way.upload_duplicate(photo(1, "PNG")).image_id == row.id


def test_copy_added_since_is_known_though_the_clock_was_ahead(
    uploader: Uploader, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = uploader.store(photo(1))
    with monkeypatch.context() as ahead:
        ahead.setattr(removal, "now", lambda: now() + timedelta(days=400))
        keep_images(database, [row.id])
    uploader.store(photo(1, "PNG"), "plum")
    assert restore(uploader, row.id).known == [row.id]


def test_copy_added_since_is_known_though_the_clock_was_behind(
    uploader: Uploader, database: Database
) -> None:
    row = uploader.store(photo(1))
    keep_images(database, [row.id])
    copy = uploader.store(photo(1, "PNG"), "plum")
    with database.session() as session:
        session.get_one(ImageRow, copy.id).created_at = now() - timedelta(days=400)
    assert restore(uploader, row.id).known == [row.id]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_saved_copy_joins_the_group_of_a_removed_photo(
    uploader: Uploader, database: Database, split: str
) -> None:
    original = draw_fruit("rottenapples", 3, 224)
    row = uploader.store(encode(original, "PNG"), "pear", "x.png")
    with database.session() as session:
        session.get_one(ImageRow, row.id).split = split
    keep_images(database, [row.id])
    turned = encode(original.rotate(15, fillcolor="white"), "PNG")
    copy = uploader.store(turned, "pear", "rotated_by_15_x.png")
    assert (copy.photograph, copy.split) == (row.photograph, split)
    assert restore(uploader, row.id).restored == [row.id]


def test_no_name_joins_the_group_of_a_removed_photo(uploader: Uploader, database: Database) -> None:
    row = uploader.store(photo(1), "pear", "x.png")
    keep_images(database, [row.id])
    other = uploader.store(photo(7), "pear", "x.png")
    assert other.photograph.startswith(f"{row.photograph}-")


def test_photo_joins_its_copy_that_was_boxed_since(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    row = uploader.store(photo(1), "pear")
    keep_images(database, [row.id])
    boxed = box_photo(database, blobs, photo(1, "PNG")).row
    assert boxed.photograph != row.photograph
    restore(uploader, row.id)
    [image] = rows_of(database)
    assert (image.photograph, image.split) == (boxed.photograph, boxed.split)


def test_feedback_that_was_changed_since_stays(uploader: Uploader, database: Database) -> None:
    row = uploader.store(photo(1), "pear")
    give_feedback(database, row.id, "pear")
    keep_images(database, [row.id])
    with database.session() as session:
        session.get_one(FeedbackRow, PREDICTION).label = "plum"
    restore(uploader, row.id)
    with database.reading() as session:
        assert session.get_one(FeedbackRow, PREDICTION).image_id is None


def test_photo_is_restored_even_if_its_prediction_is_gone(
    uploader: Uploader, database: Database
) -> None:
    row = uploader.store(photo(1), "pear")
    give_feedback(database, row.id, "pear")
    keep_images(database, [row.id])
    with database.session() as session:
        session.delete(session.get_one(PredictionRow, PREDICTION))
    assert restore(uploader, row.id).restored == [row.id]


def test_photo_without_a_thumbnail_or_with_a_damaged_file_comes_back(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    row = uploader.store(photo(1))
    with database.session() as session:
        session.get_one(ImageRow, row.id).thumbnail = None
    blobs.put(row.blob, b"damaged")
    keep_images(database, [row.id])
    assert restore(uploader, row.id).restored == [row.id]


def test_photo_is_deleted_for_good_after_its_time(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    first, second = uploader.store(photo(1)), uploader.store(photo(2))
    keep_images(database, [first.id, second.id])
    again = uploader.store(photo(2))
    days = timedelta(days=7)
    assert sweep_removed(database, blobs, 7, now() + days - timedelta(minutes=1)) == 0
    assert sweep_removed(database, blobs, 7, now() + days + timedelta(minutes=1)) == 2
    assert list(blobs.keys("photographs")) == [again.blob]
    assert restore(uploader, first.id, second.id) == Restoring()


def test_two_people_restore_at_once(uploader: Uploader, database: Database) -> None:
    ids = [uploader.store(photo(seed), "pear").id for seed in range(4)]
    keep_images(database, ids)
    at_once = Barrier(2)

    def bring_back(_: int) -> list[str]:
        at_once.wait(timeout=60)
        return restore(uploader, *ids).restored

    with ThreadPoolExecutor(2) as pool:
        restored = list(pool.map(bring_back, range(2)))
    assert sorted(np.concatenate(restored)) == sorted(ids)
    assert len(rows_of(database)) == 4
