"""Merging the catalog into the champion's replay buffer."""

from dataclasses import replace

import numpy as np
import pytest

from api.core.imaging.hashing import SIGNATURE_BYTES
from api.core.labels import FRESH, PAST_BEST, ROTTEN, UNKNOWN
from api.core.splits import Split
from api.model.replay_buffer import OodSamples, ReplayBuffer
from api.retraining.training_rows import (
    TrainingRows,
    merge_catalog,
    not_embedded,
)
from api.storage.tables.photos import ImageRow
from tests.registry.samples import without_appearance

KNOWN = ("apple", "pear")
CHANNELS = 3
SPLITS = ["train", "train", "validation", "test"]


def a_replay(count: int = 8) -> ReplayBuffer:
    """Apples and pears alternate; the last two rows are boxed fruits of one frame."""
    names = [f"photo/{k}" for k in range(count - 2)] + ["boxed/7", "boxed/7"]
    return ReplayBuffer(
        embeddings=np.arange(count * CHANNELS, dtype=np.float32).reshape(count, CHANNELS),
        targets=np.eye(2, dtype=np.float32)[np.arange(count) % 2],
        splits=np.array((SPLITS * count)[: count - 2] + ["train"] * 2),
        photographs=np.array(names),
        sha256=np.array([f"s{k}" for k in range(count - 2)] + ["frame", "frame"]),
        signatures=np.zeros((count, 80), np.uint8),
        catalog=np.zeros(count, bool),
        **without_appearance(count, CHANNELS),
        others=OodSamples.of_embeddings(np.full((1, CHANNELS), 9, np.float32)),
    )


def a_photo(
    sha256: str,
    class_name: str,
    split: Split = "train",
    origin: str = "upload",
    photograph: str | None = None,
) -> ImageRow:
    return ImageRow(
        sha256=sha256,
        class_name=class_name,
        photograph=photograph or f"{class_name}/{sha256}",
        split=split,
        origin=origin,
        signature="01" * SIGNATURE_BYTES,
        blob=sha256,
        width=1,
        height=1,
        brightness=0.5,
        saturation=0.25,
        hue=30,
    )


def merge(
    replay: ReplayBuffer, photos: list[ImageRow], classes: tuple[str, ...] = KNOWN
) -> TrainingRows:
    views = np.full((3, CHANNELS), 100, np.float32)
    embedded = {photo.sha256: views for photo in not_embedded(replay, photos)}
    return merge_catalog(replay, KNOWN, photos, embedded, classes)


def row(data: TrainingRows, sha256: str) -> int:
    (index,) = np.flatnonzero(data.replay.sha256 == sha256)
    return int(index)


def test_new_photos_are_added_to_the_shipped_rows() -> None:
    replay = a_replay()
    data = merge(replay, [a_photo("new", "plum", "test")], ("apple", "pear", "plum"))
    assert len(data.replay.embeddings) == 9
    assert np.array_equal(data.replay.embeddings[:8], replay.embeddings)
    assert np.array_equal(data.replay.targets[:8, :2], replay.targets)
    new = row(data, "new")
    assert data.names[new] == "plum"
    assert (data.replay.splits[new], data.replay.photographs[new]) == ("test", "plum/new")
    assert data.replay.catalog.tolist() == [False] * 8 + [True]
    assert data.is_new.tolist() == [False] * 8 + [True]
    assert np.isnan(data.replay.looks[:8]).all()
    assert data.replay.looks[8].tolist() == [0.5, 0.25, 30, 1, 1]
    assert data.replay.copies.tolist() == [0] * 8 + [1]
    assert not data.is_correction.any()


def test_deleted_and_relabelled_photos_are_updated_in_the_next_version() -> None:
    photos = [a_photo("a", "apple"), a_photo("b", "pear", origin="feedback")]
    first = merge(a_replay(), photos).replay
    assert not_embedded(first, photos) == []
    assert not merge(first, photos).is_new.any()
    # One is deleted, the other relabelled.
    later = merge(first, [a_photo("b", "apple", origin="feedback")])
    assert "a" not in later.replay.sha256
    assert later.names[row(later, "b")] == "apple"
    assert later.is_new[row(later, "b")]
    assert later.is_correction[row(later, "b")]
    assert len(later.replay.embeddings) == 9
    assert np.array_equal(later.replay.embeddings[row(later, "b")], np.full(CHANNELS, 100))
    assert later.replay.view_of.tolist() == [row(later, "b")] * 2
    assert np.array_equal(later.replay.views, np.full((2, CHANNELS), 100))


def test_relabelled_shipped_photo_keeps_its_split() -> None:
    data = merge(a_replay(), [a_photo("s3", "apple", "train")])
    assert len(data.replay.embeddings) == 8
    assert data.names[row(data, "s3")] == "apple"
    assert data.replay.splits[row(data, "s3")] == "test"
    assert data.is_new[row(data, "s3")]


def test_whole_frame_is_added_beside_its_boxes() -> None:
    photo = a_photo("frame", "apple")
    assert not_embedded(a_replay(), [photo]) == [photo]
    data = merge(a_replay(), [photo])
    assert len(data.replay.embeddings) == 9


def test_rows_of_dropped_classes_become_ood() -> None:
    data = merge(a_replay(), [a_photo("new", "plum"), a_photo("x", "pear")], ("apple", "plum"))
    assert set(data.names) == {"apple", "plum"}
    assert "x" not in data.replay.sha256
    # Pears become OOD photos and keep their splits; those of the test split are dropped.
    pears = (a_replay().targets[:, 1] == 1) & (a_replay().splits != "test")
    assert len(data.replay.others) == 1 + pears.sum()
    assert sorted(data.replay.others.splits[1:]) == sorted(a_replay().splits[pears])
    assert data.replay.targets.sum(axis=1) == pytest.approx(1)


def test_ood_photos_of_a_fruit_that_is_a_class_are_dropped() -> None:
    others = OodSamples(
        embeddings=np.full((4, CHANNELS), 9, np.float32),
        groups=np.array(["other/plum", "other/fig", "far/plum.jpg", ""]),
        splits=np.full(4, "train"),
        freshness=np.full(4, np.nan, np.float32),
    )
    replay = replace(a_replay(), others=others)
    for name in ("plums", "freshplums"):
        data = merge(replay, [a_photo("new", name)], (*KNOWN, name))
        assert data.replay.others.groups.tolist() == ["other/fig", "far/plum.jpg", ""]
    # A class name may be only a level, without a fruit.
    data = merge(replay, [a_photo("new", "fresh")], (*KNOWN, "fresh"))
    assert len(data.replay.others) == 4


def test_levels_follow_the_class_if_the_target_is_certain() -> None:
    classes = ("freshapples", "overripeapples", "rottenapples", "quince")
    replay = replace(a_replay(5), targets=np.zeros((5, 4), np.float32))
    replay.targets[[0, 1, 2, 3], [0, 1, 2, 3]] = 1
    replay.targets[4, [0, 2]] = 0.5
    none = np.zeros(5, bool)
    data = TrainingRows(classes, replay, none, none)
    assert data.levels.tolist() == [FRESH, PAST_BEST, ROTTEN, UNKNOWN, UNKNOWN]
    held_out = TrainingRows(classes, replace(replay, splits=np.full(5, "test")), none, none)
    assert held_out.test.tolist() == [True] * 4 + [False]


def test_imported_row_that_was_relabelled_to_a_class_left_out_is_dropped() -> None:
    data = merge(a_replay(), [a_photo("s2", "plum")])
    assert "s2" not in data.replay.sha256
    assert len(data.replay.embeddings) == 7
    assert len(data.replay.others) == 1
