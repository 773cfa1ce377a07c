"""Counts of images and photos, in the catalog and in the training data."""

from collections import Counter

from api.catalog import repository
from api.catalog.schemas import DatasetSummary
from api.model.replay_buffer import TrainingIndex
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.catalog.photographs import Uploader, learned_from, photograph


def summary(database: Database, learned: TrainingIndex) -> DatasetSummary:
    with database.reading() as session:
        return DatasetSummary.load(session, learned)


def test_photos_of_model_and_catalog_count_once(database: Database, blobs: Blobs) -> None:
    uploader = Uploader(database, blobs)
    seen = uploader.store(photograph(1), "pear", "a.jpg")
    unseen = uploader.store(photograph(2), "pear", "rotated_by_15_a.jpg")
    plum = uploader.store(photograph(3), "plum", "b.jpg", origin="feedback")
    learned = learned_from(
        (photograph(1), "pear", seen.photograph, seen.split),
        (photograph(4), "pear", "pear/old", "test"),
        # Two fruits in one photo.
        (photograph(5), "pear", "boxed/1", "train"),
        (photograph(5), "plum", "boxed/1", "train"),
    )
    found = summary(database, learned)
    assert found.by_class == {"pear": 2, "plum": 1}
    assert found.by_origin == {"upload": 2, "feedback": 1}
    assert sum(found.by_split.values()) == found.images == 3
    assert found.new_images == 2
    assert found.newest_upload is not None
    assert found.newest_upload >= unseen.created_at
    expected = [
        ("pear", seen.split),
        ("plum", plum.split),
        ("pear", "test"),
        ("pear", "train"),
        ("plum", "train"),
    ]
    assert found.photographs.total == len(expected)
    assert found.photographs.by_class == {
        name: Counter(split for known, split in expected if known == name)
        for name in ("pear", "plum")
    }


def test_the_label_of_the_catalog_counts(database: Database, blobs: Blobs) -> None:
    row = Uploader(database, blobs).store(photograph(1), "pear")
    learned = learned_from((photograph(1), "pear", row.photograph, row.split))
    with database.session() as session:
        repository.relabel(session, [row.id], "plum")
    found = summary(database, learned)
    assert found.photographs.by_class == {"plum": {row.split: 1}}
    assert found.new_images == 0


def test_an_empty_catalog(database: Database) -> None:
    found = summary(database, TrainingIndex.empty())
    assert (found.images, found.new_images, found.photographs.total) == (0, 0, 0)
    assert found.by_class == found.by_split == found.by_origin == {}
    assert found.photographs.by_class == {}
    assert found.newest_upload is None
