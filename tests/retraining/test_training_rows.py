"""The champion's replay and the catalog, put together."""

from dataclasses import replace

import numpy as np
import pytest

from api.core.appearance import Appearance
from api.core.labels import FRESH, PAST_BEST, ROTTEN, UNKNOWN
from api.core.splits import Split
from api.model.replay_buffer import Others, Replay
from api.retraining.training_rows import CatalogPhoto, TrainingRows, assemble, not_embedded
from tests.registry.samples import no_looks

KNOWN = ("apple", "pear")
CHANNELS = 3
SPLITS = ["train", "train", "validation", "test"]


def a_replay(count: int = 8) -> Replay:
    """Apples and pears in turn; the last two rows are boxed fruits of one frame."""
    names = [f"photo/{k}" for k in range(count - 2)] + ["boxed/7", "boxed/7"]
    return Replay(
        embeddings=np.arange(count * CHANNELS, dtype=np.float32).reshape(count, CHANNELS),
        targets=np.eye(2, dtype=np.float32)[np.arange(count) % 2],
        splits=np.array((SPLITS * count)[: count - 2] + ["train"] * 2),
        photographs=np.array(names),
        sha256=np.array([f"s{k}" for k in range(count - 2)] + ["frame", "frame"]),
        signatures=np.zeros((count, 80), np.uint8),
        catalog=np.zeros(count, bool),
        **no_looks(count),
        others=Others.unnamed(np.full((1, CHANNELS), 9, np.float32)),
    )


def a_photo(
    sha256: str, class_name: str, split: Split = "train", origin: str = "upload"
) -> CatalogPhoto:
    return CatalogPhoto(
        sha256=sha256,
        class_name=class_name,
        photograph=f"{class_name}/{sha256}",
        split=split,
        origin=origin,
        signature=np.ones(80, np.uint8),
        blob=sha256,
        width=1,
        height=1,
        appearance=Appearance(0.5, 0.25, 30),
    )


def put(
    replay: Replay, photos: list[CatalogPhoto], classes: tuple[str, ...] = KNOWN
) -> TrainingRows:
    seen = np.full((3, CHANNELS), 100, np.float32)
    embedded = {photo.sha256: seen for photo in not_embedded(replay, photos)}
    return assemble(replay, KNOWN, photos, embedded, classes)


def row(material: TrainingRows, sha256: str) -> int:
    (found,) = np.flatnonzero(material.rows.sha256 == sha256)
    return int(found)


def test_new_photographs_join_and_the_shipped_ones_stay() -> None:
    replay = a_replay()
    material = put(replay, [a_photo("new", "plum", "test")], ("apple", "pear", "plum"))
    assert len(material.rows.embeddings) == 9
    assert np.array_equal(material.rows.embeddings[:8], replay.embeddings)
    assert np.array_equal(material.rows.targets[:8, :2], replay.targets)
    new = row(material, "new")
    assert material.names[new] == "plum"
    assert (material.rows.splits[new], material.rows.photographs[new]) == ("test", "plum/new")
    assert material.rows.catalog.tolist() == [False] * 8 + [True]
    assert material.fresh.tolist() == [False] * 8 + [True]
    assert np.isnan(material.rows.looks[:8]).all()
    assert material.rows.looks[8].tolist() == [0.5, 0.25, 30, 1, 1]
    assert material.rows.copies.tolist() == [0] * 8 + [1]
    assert not material.chosen.any()


def test_the_next_version_knows_what_the_catalog_had() -> None:
    photos = [a_photo("a", "apple"), a_photo("b", "pear", origin="feedback")]
    first = put(a_replay(), photos).rows
    assert not_embedded(first, photos) == []
    assert not put(first, photos).fresh.any()
    # One is removed, the other is called something else now.
    later = put(first, [a_photo("b", "apple", origin="feedback")])
    assert "a" not in later.rows.sha256
    assert later.names[row(later, "b")] == "apple"
    assert later.fresh[row(later, "b")]
    assert later.chosen[row(later, "b")]
    assert len(later.rows.embeddings) == 9
    assert np.array_equal(later.rows.embeddings[row(later, "b")], np.full(CHANNELS, 100))
    assert later.rows.view_of.tolist() == [row(later, "b")] * 2
    assert np.array_equal(later.rows.views, np.full((2, CHANNELS), 100))


def test_what_people_say_of_a_shipped_photograph_counts_but_its_split_stays() -> None:
    material = put(a_replay(), [a_photo("s3", "apple", "train")])
    assert len(material.rows.embeddings) == 8
    assert material.names[row(material, "s3")] == "apple"
    assert material.rows.splits[row(material, "s3")] == "test"
    assert material.fresh[row(material, "s3")]


def test_a_whole_frame_is_not_one_of_its_boxes() -> None:
    photo = a_photo("frame", "apple")
    assert not_embedded(a_replay(), [photo]) == [photo]
    material = put(a_replay(), [photo])
    assert len(material.rows.embeddings) == 9


def test_classes_that_are_not_wanted_are_left_out_and_become_other_things() -> None:
    material = put(a_replay(), [a_photo("new", "plum"), a_photo("x", "pear")], ("apple", "plum"))
    assert set(material.names) == {"apple", "plum"}
    assert "x" not in material.rows.sha256
    # The pears that a grader may see join what is of no class, each in its split.
    pears = (a_replay().targets[:, 1] == 1) & (a_replay().splits != "test")
    assert len(material.rows.others) == 1 + pears.sum()
    assert sorted(material.rows.others.splits[1:]) == sorted(a_replay().splits[pears])
    assert material.rows.targets.sum(axis=1) == pytest.approx(1)


def test_other_produce_that_is_a_class_now_is_other_produce_no_more() -> None:
    others = Others(
        embeddings=np.full((4, CHANNELS), 9, np.float32),
        groups=np.array(["other/plum", "other/fig", "far/plum.jpg", ""]),
        splits=np.full(4, "train"),
        freshness=np.full(4, np.nan, np.float32),
    )
    replay = replace(a_replay(), others=others)
    for name in ("plums", "freshplums"):
        material = put(replay, [a_photo("new", name)], (*KNOWN, name))
        assert material.rows.others.groups.tolist() == ["other/fig", "far/plum.jpg", ""]
    # A class may be called by the level alone; of what has no name nothing is known.
    material = put(replay, [a_photo("new", "fresh")], (*KNOWN, "fresh"))
    assert len(material.rows.others) == 4


def test_levels_are_those_of_the_classes_where_the_target_is_sure() -> None:
    classes = ("freshapples", "overripeapples", "rottenapples", "quince")
    replay = replace(a_replay(5), targets=np.zeros((5, 4), np.float32))
    replay.targets[[0, 1, 2, 3], [0, 1, 2, 3]] = 1
    replay.targets[4, [0, 2]] = 0.5
    none = np.zeros(5, bool)
    material = TrainingRows(classes, replay, none, none)
    assert material.levels.tolist() == [FRESH, PAST_BEST, ROTTEN, UNKNOWN, UNKNOWN]
    held_out = TrainingRows(classes, replace(replay, splits=np.full(5, "test")), none, none)
    assert held_out.test.tolist() == [True] * 4 + [False]
