"""A candidate is judged by held-out photos with their earlier labels, whatever was changed."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from api.core.paired_comparison import ChangedLabels
from api.model.replay_buffer import ReplayBuffer
from api.retraining.held_out import (
    changed_labels,
    judged_rows,
    right_by_key,
    too_few_held_out,
    with_first_judgement,
)
from api.retraining.training_rows import TrainingRows, merge_catalog
from api.storage.tables.photos import ImageRow
from tests.heads import make_head
from tests.retraining.test_training_rows import CHANNELS, KNOWN, a_photo, a_replay

NEW: NDArray[np.float32] = np.full((1, CHANNELS), 7, np.float32)


def champion() -> ReplayBuffer:
    """Apples and pears alternate; rows 3 and 7 are held-out pears, row 7 from the catalog."""
    replay = a_replay(10)
    catalog = np.arange(10) == 7
    return replace(replay, catalog=catalog)


def merged(
    photos: list[ImageRow], classes: tuple[str, ...] = KNOWN, replay: ReplayBuffer | None = None
) -> TrainingRows:
    embedded = {photo.sha256: NEW for photo in photos}
    return merge_catalog(replay or champion(), KNOWN, photos, embedded, classes)


def test_relabelled_and_removed_photos_are_judged_by_their_earlier_labels() -> None:
    photos = [a_photo("s3", "apple", "test"), a_photo("fresh upload", "apple", "test")]
    rows = judged_rows(champion(), KNOWN, merged(photos))
    assert rows.sha256.tolist() == ["s3", "s7", "fresh upload"]
    assert rows.held_out.class_names.tolist() == ["pear", "pear", "apple"]
    assert rows.held_out.is_new.tolist() == [False, False, True]


def test_changed_labels_are_counted_by_the_first_class() -> None:
    first = np.full(10, "", "<U5")
    first[[3, 7]] = ["pear", "apple"]
    replay = replace(champion(), first_class=first)
    assert changed_labels(replay, KNOWN, [a_photo("s7", "pear", "test")]) == {
        "apple": ChangedLabels(photos=1, relabelled=0, removed=0, since_first=1)
    }
    assert changed_labels(replay, KNOWN, [a_photo("s3", "apple", "test")]) == {
        "pear": ChangedLabels(photos=1, relabelled=1, removed=0, since_first=1),
        "apple": ChangedLabels(photos=1, relabelled=0, removed=1, since_first=1),
    }
    # Changes to training photos do not matter.
    assert not changed_labels(champion(), KNOWN, [a_photo("s7", "pear"), a_photo("s1", "apple")])


def test_held_out_photos_of_a_lost_class_return_with_it() -> None:
    photos = [a_photo(f"plum {k}", "plum") for k in range(3)]
    lost = merged(photos, ("apple", "plum")).replay
    assert lost.retired.sha256.tolist() == ["s3"]
    assert lost.retired.class_names.tolist() == ["pear"]
    assert "s3" not in lost.sha256.tolist()

    embedded = {photo.sha256: NEW for photo in photos}
    data = merge_catalog(lost, ("apple", "plum"), photos, embedded, ("apple", "pear", "plum"))
    rows = judged_rows(lost, ("apple", "plum"), data)
    assert rows.sha256.tolist() == ["s3"]
    assert rows.held_out.class_names.tolist() == ["pear"]
    assert not rows.held_out.is_new.any()
    assert data.replay.splits[data.names == "pear"].tolist() == ["test"]
    assert not len(data.replay.retired)


def test_model_is_not_wrong_about_a_class_that_it_does_not_have() -> None:
    judged = judged_rows(champion(), KNOWN, merged([]))
    assert judged.held_out.class_names.tolist() == ["pear", "pear"]
    first_output = make_head(np.eye(CHANNELS, 2), bias=[1e6, 0])
    assert right_by_key(first_output, ("apple", "plum"), judged) == {}
    assert right_by_key(first_output, ("apple", "pear"), judged) == dict.fromkeys(
        judged.keys, False
    )
    assert right_by_key(first_output, ("pear", "plum"), judged) == dict.fromkeys(judged.keys, True)


def test_boxes_of_one_frame_are_judged_each() -> None:
    replay = champion()
    splits = replay.splits.copy()
    splits[-2:] = "test"
    rows = judged_rows(replace(replay, splits=splits), KNOWN, merged([]))
    assert len(rows.held_out.photographs) == len(set(rows.held_out.photographs.tolist())) == 4


def test_first_judgement_stays() -> None:
    replay = champion()
    keys = replay.keys
    once = with_first_judgement(replay, KNOWN, {keys[3]: False, keys[7]: True, keys[0]: True})
    assert once.first_right.tolist() == [-1, -1, -1, 0, -1, -1, -1, 1, -1, -1]
    assert once.first_class[[0, 3, 7]].tolist() == ["", "pear", "pear"]
    again = with_first_judgement(once, KNOWN, {keys[3]: True, keys[7]: False})
    assert again.first_right.tolist() == once.first_right.tolist()


def test_class_with_few_held_out_photos_is_named() -> None:
    rows = judged_rows(champion(), KNOWN, merged([]))
    assert too_few_held_out(rows.held_out, KNOWN, KNOWN) == ["apple", "pear"]
    assert too_few_held_out(rows.held_out, KNOWN, ("pear", "plum")) == ["pear"]
