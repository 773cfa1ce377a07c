"""Photos are stored atomically, once, and grouped with their saved copies."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import numpy as np
import pytest

from api.catalog.service import DuplicateFile, Outcome, Stored, remove_images
from api.core.appearance import appearance
from api.core.errors import ProblemError
from api.core.imaging.decode import TruncatedImageError, decode
from api.core.imaging.hashing import content_hash
from api.core.labels import BadClassNameError
from api.core.splits import SPLITS
from api.storage.blobs import Blobs
from api.storage.db import Database, now
from api.storage.tables.photos import ImageRow
from tests.catalog.photographs import Uploader, phone_jpeg, photo, rows_of, training_index_of


@pytest.fixture
def uploader(database: Database, blobs: Blobs) -> Uploader:
    return Uploader(database, blobs)


def test_blob_and_row_are_stored(uploader: Uploader, database: Database, blobs: Blobs) -> None:
    data = phone_jpeg(1)
    row = uploader.store(data, " Fresh Apples", "C:\\fruit\\apple.jpg", origin="feedback")
    [stored] = rows_of(database)
    assert stored.id == row.id
    sha256 = content_hash(data)
    assert stored.sha256 == sha256
    assert stored.blob == f"photographs/{row.id[:2]}/{row.id}.jpg"
    assert (stored.class_name, stored.origin) == ("fresh_apples", "feedback")
    assert (stored.filename, stored.photograph) == ("apple.jpg", "fresh_apples/apple")
    assert stored.split in SPLITS
    assert (stored.width, stored.height) == (80, 96)
    blob = blobs.get(stored.blob)
    assert stored.bytes == len(blob) < len(data)
    image = decode(blob).image
    assert np.array_equal(np.asarray(image), np.asarray(decode(data).image))
    expected = appearance(image)
    measured = (stored.brightness, stored.saturation, stored.hue)
    assert measured == pytest.approx((expected.brightness, expected.saturation, expected.hue))


@pytest.mark.parametrize(
    ("data", "class_name", "error"),
    [
        (photo(1)[:-300], "freshapples", TruncatedImageError),
        (photo(1), "?!", BadClassNameError),
        (photo(1), "not_fruit", BadClassNameError),
    ],
)
def test_rejected_photo_stores_nothing(
    uploader: Uploader, data: bytes, class_name: str, error: type[ProblemError]
) -> None:
    with pytest.raises(error) as raised:
        uploader.upload(data, class_name)
    assert raised.value.detail.endswith(".")
    assert not rows_of(uploader.database)
    assert not list(uploader.blobs.keys("photographs"))


def test_same_file_is_stored_once(uploader: Uploader, database: Database, blobs: Blobs) -> None:
    row = uploader.store(photo(1))
    for again in (uploader, Uploader(database, blobs)):
        match = again.upload_duplicate(photo(1), filename="b.jpg")
        assert (match.kind, match.image_id, match.class_name) == ("exact", row.id, "freshapples")
    assert len(rows_of(database)) == 1


def test_near_duplicates_are_stored_once(uploader: Uploader, database: Database) -> None:
    row = uploader.store(photo(1))
    match = uploader.upload_duplicate(photo(1, "WEBP"))
    assert (match.kind, match.image_id) == ("near", row.id)
    uploader.store(photo(2), filename="b.jpg")
    assert len(rows_of(database)) == 2


def test_duplicate_of_another_class_says_how_to_relabel(uploader: Uploader) -> None:
    row = uploader.store(photo(1))
    same_class = uploader.upload_duplicate(photo(1), " FreshApples ").message
    assert "relabel" not in same_class
    other_class = uploader.upload_duplicate(photo(1), "rottenapples").message
    assert "as freshapples and not rottenapples" in other_class
    assert f"PATCH /dataset/images/{row.id}" in other_class


def test_training_data_of_the_model_counts_as_duplicate(database: Database, blobs: Blobs) -> None:
    training_index = training_index_of(
        (photo(1), "freshapples", "freshapples/x", "test"),
        (photo(2), "freshapples", "freshapples/y", "train"),
    )
    uploader = Uploader(database, blobs, training_index)
    exact = uploader.upload_duplicate(photo(2), "rottenapples")
    near = uploader.upload_duplicate(photo(1, "PNG"))
    assert (exact.kind, exact.of) == ("exact", "freshapples/y")
    assert (near.kind, near.of) == ("near", "freshapples/x")
    assert exact.image_id is None
    assert "nothing to relabel" in exact.message
    assert not rows_of(database)


def test_catalog_takes_precedence_over_the_training_data(database: Database, blobs: Blobs) -> None:
    """An image that the model was trained on can still be relabelled."""
    row = Uploader(database, blobs).store(photo(1))
    training_index = training_index_of((photo(1), "freshapples", row.photograph, row.split))
    uploader = Uploader(database, blobs, training_index)
    assert uploader.upload_duplicate(photo(1)).image_id == row.id
    assert uploader.upload_duplicate(photo(1, "PNG")).image_id == row.id


def test_removed_photo_can_be_uploaded_again(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    row = uploader.store(photo(1))
    remove_images(database, blobs, [row.id])
    again = uploader.store(photo(1))
    assert blobs.exists(again.blob)
    assert uploader.upload_duplicate(photo(1, "PNG")).image_id == again.id


def test_photos_with_the_same_name_get_separate_groups(uploader: Uploader) -> None:
    rows = [uploader.store(photo(seed), "pear", "image.jpg") for seed in range(5)]
    assert len({row.photograph for row in rows}) == 5
    assert rows[0].photograph == "pear/image"
    assert all(row.photograph.startswith("pear/image") for row in rows)


def test_odd_names_are_accepted(uploader: Uploader) -> None:
    name = "\0\ud800" + "ä" * 400
    row = uploader.store(photo(1), "x" * 100, name)
    assert len(row.photograph) <= 200
    assert len(row.filename) == 255
    uploader.store(photo(2), "x" * 100, name)


class SimultaneousUploads(Blobs):
    """Makes all uploads check for duplicates before any stores its row."""

    def __init__(self, url: str, uploads: int) -> None:
        super().__init__(url)
        self._barrier = Barrier(uploads)

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        self._barrier.wait(timeout=60)


def upload_concurrently(
    database_url: str, blobs: Blobs, files: list[tuple[bytes, str]]
) -> list[Outcome]:
    """Upload as separate processes would, each with its own connection."""

    def store_one(file: tuple[bytes, str]) -> Outcome:
        database = Database(database_url)
        try:
            return Uploader(database, blobs).upload(file[0], filename=file[1])
        finally:
            database.close()

    with ThreadPoolExecutor(len(files)) as pool:
        return list(pool.map(store_one, files))


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ([(photo(1), "a.jpg")] * 8, "exact"),
        ([(photo(1, name), "a.jpg") for name in ("JPEG", "PNG", "WEBP", "BMP")], "near"),
    ],
)
def test_concurrent_uploads_of_one_photo_store_it_once(
    database: Database,
    database_url: str,
    blobs: Blobs,
    files: list[tuple[bytes, str]],
    kind: str,
) -> None:
    waiting_blobs = SimultaneousUploads(blobs.url, len(files))
    outcomes = upload_concurrently(database_url, waiting_blobs, files)
    [stored] = [outcome for outcome in outcomes if isinstance(outcome, Stored)]
    duplicates = [outcome for outcome in outcomes if isinstance(outcome, DuplicateFile)]
    assert len(duplicates) == len(files) - 1
    assert {duplicate.kind for duplicate in duplicates} == {kind}
    assert {duplicate.image_id for duplicate in duplicates} == {stored.image.id}
    assert [row.id for row in rows_of(database)] == [stored.image.id]
    assert blobs.exists(stored.image.blob)


def test_concurrent_uploads_with_the_same_name_get_separate_groups(
    database: Database, database_url: str, blobs: Blobs
) -> None:
    files = [(photo(seed), "image.jpg") for seed in range(6)]
    upload_concurrently(database_url, SimultaneousUploads(blobs.url, len(files)), files)
    assert len({row.photograph for row in rows_of(database)}) == 6


class Meanwhile(Blobs):
    """Calls `others` after an upload has looked for copies but before it stores its row."""

    def __init__(self, url: str, others: Callable[[], object]) -> None:
        super().__init__(url)
        self._others = others

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        self._others()


def test_copy_is_seen_though_it_follows_a_photo_that_was_removed(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    """The numbers of removed photos are not reused."""
    newest = uploader.store(photo(1))
    under_way = Uploader(database, blobs)

    def replace_the_newest() -> None:
        remove_images(database, blobs, [newest.id])
        uploader.store(photo(2))

    under_way.blobs = Meanwhile(blobs.url, replace_the_newest)
    assert under_way.upload_duplicate(photo(2, "PNG"), "plum").kind == "near"


@pytest.mark.parametrize("days", [(1, 0), (0, -1)], ids=["ahead before", "behind now"])
def test_copy_of_another_upload_is_seen_whatever_its_time(
    uploader: Uploader, database: Database, blobs: Blobs, days: tuple[int, int]
) -> None:
    """The clock may have been set back, or another machine's clock may differ."""
    stored_at(database, uploader.store(photo(1)), days[0])

    def add_the_same() -> None:
        stored_at(database, uploader.store(photo(2)), days[1])

    under_way = Uploader(database, Meanwhile(blobs.url, add_the_same))
    assert under_way.upload_duplicate(photo(2, "PNG"), "plum").kind == "near"


def stored_at(database: Database, image: ImageRow, days: int) -> None:
    with database.session() as session:
        session.get_one(ImageRow, image.id).created_at = now() + timedelta(days=days)


def test_removing_the_same_photo_leaves_the_file_of_an_upload(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    def store_and_remove() -> None:
        remove_images(database, blobs, [uploader.store(photo(1)).id])

    row = Uploader(database, Meanwhile(blobs.url, store_and_remove)).store(photo(1))
    assert list(blobs.keys("photographs")) == [row.blob]


class FullDisk(Blobs):
    def put(self, key: str, data: bytes) -> None:
        raise OSError("No space left on device")


def test_failed_blob_write_stores_no_row(database: Database, blobs: Blobs) -> None:
    with pytest.raises(OSError, match="No space"):
        Uploader(database, FullDisk(blobs.url)).upload(photo(1))
    assert not rows_of(database)
