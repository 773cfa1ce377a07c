"""Counts of images and photos in the catalog and the training data."""

from collections import Counter

from api.catalog import repository
from api.catalog.schemas import DatasetSummary
from api.model.training_index import TrainingIndex
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.catalog.photographs import Uploader, photo, training_index_of


def summary(database: Database, training_index: TrainingIndex) -> DatasetSummary:
    with database.reading() as session:
        return DatasetSummary.load(session, training_index)


def test_photos_in_both_model_and_catalog_count_once(database: Database, blobs: Blobs) -> None:
    uploader = Uploader(database, blobs)
    trained_on = uploader.store(photo(1), "pear", "a.jpg")
    new = uploader.store(photo(2), "pear", "c.jpg")
    plum = uploader.store(photo(3), "plum", "b.jpg", origin="feedback")
    training_index = training_index_of(
        (photo(1), "pear", trained_on.photograph, trained_on.split),
        (photo(4), "pear", "pear/old", "test"),
        # Two fruits in one photo.
        (photo(5), "pear", "boxed/1", "train"),
        (photo(5), "plum", "boxed/1", "train"),
    )
    counts = summary(database, training_index)
    assert counts.by_class == {"pear": 2, "plum": 1}
    assert counts.by_origin == {"upload": 2, "feedback": 1}
    assert sum(counts.by_split.values()) == counts.images == 3
    assert counts.new_images == 2
    assert counts.newest_upload is not None
    assert counts.newest_upload >= new.created_at
    expected = [
        ("pear", trained_on.split),
        ("pear", new.split),
        ("plum", plum.split),
        ("pear", "test"),
        ("pear", "train"),
        ("plum", "train"),
    ]
    assert counts.photographs.total == len(expected)
    assert counts.photographs.by_class == {
        name: Counter(split for class_name, split in expected if class_name == name)
        for name in ("pear", "plum")
    }


def test_label_of_the_catalog_overrides_the_training_data(database: Database, blobs: Blobs) -> None:
    row = Uploader(database, blobs).store(photo(1), "pear")
    training_index = training_index_of((photo(1), "pear", row.photograph, row.split))
    with database.session() as session:
        repository.relabel(session, [row.id], "plum")
    counts = summary(database, training_index)
    assert counts.photographs.by_class == {"plum": {row.split: 1}}
    assert counts.new_images == 0


def test_empty_catalog_has_no_counts(database: Database) -> None:
    counts = summary(database, TrainingIndex.empty())
    assert (counts.images, counts.new_images, counts.photographs.total) == (0, 0, 0)
    assert counts.by_class == counts.by_split == counts.by_origin == {}
    assert counts.photographs.by_class == {}
    assert counts.newest_upload is None
