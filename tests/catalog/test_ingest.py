"""Photographs are taken whole or not at all, each once, and grouped with their copies."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from api.catalog.deletion import remove_images
from api.catalog.ingest import DuplicateFile, Outcome, Stored
from api.core.appearance import appearance
from api.core.class_names import BadClassNameError
from api.core.errors import ProblemError, TruncatedImageError
from api.core.imaging.decode import decode
from api.core.imaging.hashing import content_hash
from api.core.splits import split_of
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.catalog.photographs import Taker, learned_from, photograph, rows_of, telephone_jpeg


@pytest.fixture
def taker(database: Database, blobs: Blobs) -> Taker:
    return Taker(database, blobs)


def test_blob_and_row_are_there(taker: Taker, database: Database, blobs: Blobs) -> None:
    data = telephone_jpeg(1)
    row = taker.store(data, " Fresh Apples", "C:\\fruit\\apple.jpg", origin="feedback")
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
def test_what_is_refused_leaves_nothing(
    taker: Taker, data: bytes, class_name: str, error: type[ProblemError]
) -> None:
    with pytest.raises(error) as refusal:
        taker.take(data, class_name)
    assert refusal.value.detail.endswith(".")
    assert not rows_of(taker.database)
    assert not list(taker.blobs.keys("photographs"))


def test_the_same_file_is_taken_once(taker: Taker, database: Database, blobs: Blobs) -> None:
    row = taker.store(photograph(1))
    for again in (taker, Taker(database, blobs)):
        match = again.refuse(photograph(1), filename="b.jpg")
        assert (match.kind, match.image_id, match.class_name) == ("exact", row.id, "freshapples")
    assert len(rows_of(database)) == 1


def test_a_picture_that_looks_the_same_is_taken_once(taker: Taker, database: Database) -> None:
    row = taker.store(photograph(1))
    match = taker.refuse(photograph(1, "WEBP"))
    assert (match.kind, match.image_id) == ("near", row.id)
    taker.store(photograph(2), filename="b.jpg")
    assert len(rows_of(database)) == 2


def test_where_the_class_differs_the_answer_says_what_to_do(taker: Taker) -> None:
    row = taker.store(photograph(1))
    agreed = taker.refuse(photograph(1), " FreshApples ").message
    assert "relabel" not in agreed
    differing = taker.refuse(photograph(1), "rottenapples").message
    assert "as freshapples and not rottenapples" in differing
    assert f"PATCH /dataset/images/{row.id}" in differing


def test_what_the_model_learned_from_is_known(database: Database, blobs: Blobs) -> None:
    learned = learned_from(
        (photograph(1), "freshapples", "freshapples/x", "test"),
        (photograph(2), "freshapples", "freshapples/y", "train"),
    )
    taker = Taker(database, blobs, learned)
    exact = taker.refuse(photograph(2), "rottenapples")
    near = taker.refuse(photograph(1, "PNG"))
    assert (exact.kind, exact.of) == ("exact", "freshapples/y")
    assert (near.kind, near.of) == ("near", "freshapples/x")
    assert exact.image_id is None
    assert "nothing to relabel" in exact.message
    assert not rows_of(database)


def test_the_catalog_comes_before_what_the_model_knows(database: Database, blobs: Blobs) -> None:
    """An image that the model has learned by now can be relabelled still."""
    row = Taker(database, blobs).store(photograph(1))
    learned = learned_from((photograph(1), "freshapples", row.photograph, row.split))
    taker = Taker(database, blobs, learned)
    assert taker.refuse(photograph(1)).image_id == row.id
    assert taker.refuse(photograph(1, "PNG")).image_id == row.id


def test_one_that_was_removed_is_taken_again(
    taker: Taker, database: Database, blobs: Blobs
) -> None:
    row = taker.store(photograph(1))
    remove_images(database, blobs, [row.id])
    again = taker.store(photograph(1))
    assert blobs.exists(again.blob)
    assert taker.refuse(photograph(1, "PNG")).image_id == again.id


@pytest.mark.parametrize("original_first", [True, False])
def test_saved_copies_share_the_photograph_of_their_original(
    taker: Taker, original_first: bool
) -> None:
    names = ["Pear 7.png", "rotated_by_15_Pear 7.png", "vertical_flip_Pear 7.jpg"]
    ordered = names if original_first else names[::-1]
    rows = [taker.store(photograph(seed), "pear", name) for seed, name in enumerate(ordered)]
    assert {row.photograph for row in rows} == {"pear/Pear 7"}
    assert {row.split for row in rows} == {split_of("pear/Pear 7")}


def test_saved_copies_join_a_photograph_that_the_model_learned_from(
    database: Database, blobs: Blobs
) -> None:
    """Or else copies of one photograph would be learned from and measured on."""
    taker = Taker(
        database,
        blobs,
        learned_from((photograph(1), "pear", "pear/Pear 7", split_of("pear/Pear 7"))),
    )
    row = taker.store(photograph(2), "pear", "translation_Pear 7.png")
    assert row.photograph == "pear/Pear 7"


def test_telephones_call_every_picture_the_same(taker: Taker) -> None:
    rows = [taker.store(photograph(seed), "pear", "image.jpg") for seed in range(5)]
    assert len({row.photograph for row in rows}) == 5
    assert rows[0].photograph == "pear/image"
    assert all(row.photograph.startswith("pear/image") for row in rows)


def test_names_of_any_length_and_kind_are_taken(taker: Taker) -> None:
    name = "\0\ud800" + "ä" * 400
    row = taker.store(photograph(1), "x" * 100, name)
    assert len(row.photograph) <= 200
    assert len(row.filename) == 255
    taker.store(photograph(2), "x" * 100, name)


class Meeting(Blobs):
    """Everybody has looked whether the photograph is known before anybody stores it."""

    def __init__(self, url: str, visitors: int) -> None:
        super().__init__(url)
        self._barrier = Barrier(visitors)

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        self._barrier.wait(timeout=60)


def outcomes_at_once(
    database_url: str, blobs: Blobs, files: list[tuple[bytes, str]]
) -> list[Outcome]:
    """As many processes would: each with a connection of its own."""

    def take(file: tuple[bytes, str]) -> Outcome:
        database = Database(database_url)
        try:
            return Taker(database, blobs).take(file[0], filename=file[1])
        finally:
            database.close()

    with ThreadPoolExecutor(len(files)) as pool:
        return list(pool.map(take, files))


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ([(photograph(1), "a.jpg")] * 8, "exact"),
        ([(photograph(1, name), "a.jpg") for name in ("JPEG", "PNG", "WEBP", "BMP")], "near"),
    ],
)
def test_one_photograph_sent_at_once_from_many_sides_is_taken_once(
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


def test_photographs_of_one_name_sent_at_once_stay_apart(
    database: Database, database_url: str, blobs: Blobs
) -> None:
    files = [(photograph(seed), "image.jpg") for seed in range(6)]
    outcomes_at_once(database_url, Meeting(blobs.url, len(files)), files)
    assert len({row.photograph for row in rows_of(database)}) == 6


class Forgetful(Blobs):
    """Somebody removes the blob the moment that it is stored, once."""

    forgotten = False

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        if not self.forgotten:
            self.forgotten = True
            self.delete(key)


def test_a_blob_that_vanishes_before_its_row_is_there_is_stored_again(
    database: Database, blobs: Blobs
) -> None:
    row = Taker(database, Forgetful(blobs.url)).store(photograph(1))
    assert blobs.exists(row.blob)


class Full(Blobs):
    def put(self, key: str, data: bytes) -> None:
        raise OSError("No space left on device")


def test_without_a_blob_there_is_no_row(database: Database, blobs: Blobs) -> None:
    with pytest.raises(OSError, match="No space"):
        Taker(database, Full(blobs.url)).take(photograph(1))
    assert not rows_of(database)
