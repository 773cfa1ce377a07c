"""Photos are stored atomically, once, and grouped with their saved copies."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from api.catalog.service import DuplicateFile, Outcome, Stored, remove_images
from api.core.appearance import appearance
from api.core.errors import ProblemError
from api.core.imaging.decode import TruncatedImageError, decode
from api.core.imaging.hashing import content_hash
from api.core.labels import BadClassNameError
from api.core.splits import split_of
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.catalog.photographs import Uploader, learned_from, phone_jpeg, photograph, rows_of


@pytest.fixture
def uploader(database: Database, blobs: Blobs) -> Uploader:
    return Uploader(database, blobs)


def test_blob_and_row_are_stored(uploader: Uploader, database: Database, blobs: Blobs) -> None:
    data = phone_jpeg(1)
    row = uploader.store(data, " Fresh Apples", "C:\\fruit\\apple.jpg", origin="feedback")
    [found] = rows_of(database)
    assert found.id == row.id
    sha256 = content_hash(data)
    assert found.sha256 == sha256
    assert found.blob == f"photographs/{sha256[:2]}/{sha256}.jpg"
    assert (found.class_name, found.origin) == ("fresh_apples", "feedback")
    assert (found.filename, found.photograph) == ("apple.jpg", "fresh_apples/apple")
    assert found.split == split_of("fresh_apples/apple")
    assert (found.width, found.height) == (80, 96)
    stored = blobs.get(found.blob)
    assert found.bytes == len(stored) < len(data)
    seen = decode(stored).image
    assert np.array_equal(np.asarray(seen), np.asarray(decode(data).image))
    look = appearance(seen)
    measured = (found.brightness, found.saturation, found.hue)
    assert measured == pytest.approx((look.brightness, look.saturation, look.hue))


@pytest.mark.parametrize(
    ("data", "class_name", "error"),
    [
        (photograph(1)[:-300], "freshapples", TruncatedImageError),
        (photograph(1), "?!", BadClassNameError),
        (photograph(1), "not_fruit", BadClassNameError),
    ],
)
def test_a_refused_photo_leaves_nothing(
    uploader: Uploader, data: bytes, class_name: str, error: type[ProblemError]
) -> None:
    with pytest.raises(error) as refusal:
        uploader.upload(data, class_name)
    assert refusal.value.detail.endswith(".")
    assert not rows_of(uploader.database)
    assert not list(uploader.blobs.keys("photographs"))


def test_the_same_file_is_stored_once(uploader: Uploader, database: Database, blobs: Blobs) -> None:
    row = uploader.store(photograph(1))
    for again in (uploader, Uploader(database, blobs)):
        match = again.upload_duplicate(photograph(1), filename="b.jpg")
        assert (match.kind, match.image_id, match.class_name) == ("exact", row.id, "freshapples")
    assert len(rows_of(database)) == 1


def test_near_duplicates_are_stored_once(uploader: Uploader, database: Database) -> None:
    row = uploader.store(photograph(1))
    match = uploader.upload_duplicate(photograph(1, "WEBP"))
    assert (match.kind, match.image_id) == ("near", row.id)
    uploader.store(photograph(2), filename="b.jpg")
    assert len(rows_of(database)) == 2


def test_a_duplicate_of_another_class_says_what_to_do(uploader: Uploader) -> None:
    row = uploader.store(photograph(1))
    agreed = uploader.upload_duplicate(photograph(1), " FreshApples ").message
    assert "relabel" not in agreed
    differing = uploader.upload_duplicate(photograph(1), "rottenapples").message
    assert "as freshapples and not rottenapples" in differing
    assert f"PATCH /dataset/images/{row.id}" in differing


def test_training_data_of_the_model_is_known(database: Database, blobs: Blobs) -> None:
    learned = learned_from(
        (photograph(1), "freshapples", "freshapples/x", "test"),
        (photograph(2), "freshapples", "freshapples/y", "train"),
    )
    uploader = Uploader(database, blobs, learned)
    exact = uploader.upload_duplicate(photograph(2), "rottenapples")
    near = uploader.upload_duplicate(photograph(1, "PNG"))
    assert (exact.kind, exact.of) == ("exact", "freshapples/y")
    assert (near.kind, near.of) == ("near", "freshapples/x")
    assert exact.image_id is None
    assert "nothing to relabel" in exact.message
    assert not rows_of(database)


def test_the_catalog_comes_before_the_training_data(database: Database, blobs: Blobs) -> None:
    """An image that the model has learned can still be relabelled."""
    row = Uploader(database, blobs).store(photograph(1))
    learned = learned_from((photograph(1), "freshapples", row.photograph, row.split))
    uploader = Uploader(database, blobs, learned)
    assert uploader.upload_duplicate(photograph(1)).image_id == row.id
    assert uploader.upload_duplicate(photograph(1, "PNG")).image_id == row.id


def test_a_removed_photo_can_be_uploaded_again(
    uploader: Uploader, database: Database, blobs: Blobs
) -> None:
    row = uploader.store(photograph(1))
    remove_images(database, blobs, [row.id])
    again = uploader.store(photograph(1))
    assert blobs.exists(again.blob)
    assert uploader.upload_duplicate(photograph(1, "PNG")).image_id == again.id


@pytest.mark.parametrize("original_first", [True, False])
def test_saved_copies_join_the_group_of_their_original(
    uploader: Uploader, original_first: bool
) -> None:
    names = ["Pear 7.png", "rotated_by_15_Pear 7.png", "vertical_flip_Pear 7.jpg"]
    ordered = names if original_first else names[::-1]
    rows = [uploader.store(photograph(seed), "pear", name) for seed, name in enumerate(ordered)]
    assert {row.photograph for row in rows} == {"pear/Pear 7"}
    assert {row.split for row in rows} == {split_of("pear/Pear 7")}


def test_saved_copies_join_a_group_of_the_training_data(database: Database, blobs: Blobs) -> None:
    """Otherwise copies of one photo would be in both training and test."""
    uploader = Uploader(
        database,
        blobs,
        learned_from((photograph(1), "pear", "pear/Pear 7", split_of("pear/Pear 7"))),
    )
    row = uploader.store(photograph(2), "pear", "translation_Pear 7.png")
    assert row.photograph == "pear/Pear 7"


def test_photos_of_the_same_file_name_get_groups_of_their_own(uploader: Uploader) -> None:
    rows = [uploader.store(photograph(seed), "pear", "image.jpg") for seed in range(5)]
    assert len({row.photograph for row in rows}) == 5
    assert rows[0].photograph == "pear/image"
    assert all(row.photograph.startswith("pear/image") for row in rows)


def test_odd_names_are_accepted(uploader: Uploader) -> None:
    name = "\0\ud800" + "ä" * 400
    row = uploader.store(photograph(1), "x" * 100, name)
    assert len(row.photograph) <= 200
    assert len(row.filename) == 255
    uploader.store(photograph(2), "x" * 100, name)


class Meeting(Blobs):
    """All uploads have checked for duplicates before any of them stores its blob."""

    def __init__(self, url: str, uploads: int) -> None:
        super().__init__(url)
        self._barrier = Barrier(uploads)

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        self._barrier.wait(timeout=60)


def outcomes_at_once(
    database_url: str, blobs: Blobs, files: list[tuple[bytes, str]]
) -> list[Outcome]:
    """As separate processes would: each with its own connection."""

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
        ([(photograph(1), "a.jpg")] * 8, "exact"),
        ([(photograph(1, name), "a.jpg") for name in ("JPEG", "PNG", "WEBP", "BMP")], "near"),
    ],
)
def test_concurrent_uploads_of_one_photo_store_it_once(
    database: Database,
    database_url: str,
    blobs: Blobs,
    files: list[tuple[bytes, str]],
    kind: str,
) -> None:
    meeting = Meeting(blobs.url, len(files))
    outcomes = outcomes_at_once(database_url, meeting, files)
    [stored] = [outcome for outcome in outcomes if isinstance(outcome, Stored)]
    duplicates = [outcome for outcome in outcomes if isinstance(outcome, DuplicateFile)]
    assert len(duplicates) == len(files) - 1
    assert {duplicate.kind for duplicate in duplicates} == {kind}
    assert {duplicate.image_id for duplicate in duplicates} == {stored.image.id}
    assert [row.id for row in rows_of(database)] == [stored.image.id]
    assert blobs.exists(stored.image.blob)


def test_concurrent_uploads_of_the_same_name_get_groups_of_their_own(
    database: Database, database_url: str, blobs: Blobs
) -> None:
    files = [(photograph(seed), "image.jpg") for seed in range(6)]
    outcomes_at_once(database_url, Meeting(blobs.url, len(files)), files)
    assert len({row.photograph for row in rows_of(database)}) == 6


class Forgetful(Blobs):
    """Someone deletes the first blob right after it was stored."""

    forgotten = False

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        if not self.forgotten:
            self.forgotten = True
            self.delete(key)


def test_a_blob_deleted_before_its_row_exists_is_stored_again(
    database: Database, blobs: Blobs
) -> None:
    row = Uploader(database, Forgetful(blobs.url)).store(photograph(1))
    assert blobs.exists(row.blob)


class Full(Blobs):
    def put(self, key: str, data: bytes) -> None:
        raise OSError("No space left on device")


def test_without_a_blob_there_is_no_row(database: Database, blobs: Blobs) -> None:
    with pytest.raises(OSError, match="No space"):
        Uploader(database, Full(blobs.url)).upload(photograph(1))
    assert not rows_of(database)
