"""Merging the training set with the catalog."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from api.insights.current_examples import current_examples
from api.model.training_index import TrainingIndex


def training_index() -> TrainingIndex:
    """Two photos, one bounding box, and one image from the catalog."""
    return TrainingIndex(
        class_names=np.array(["mango", "kiwi", "kiwi", "mango"]),
        splits=np.array(["train", "test", "train", "train"]),
        photographs=np.array(["mango/1", "kiwi/1", "boxed/7", "mango/2"]),
        sha256=np.array(["s0", "s1", "frame", "c0"]),
        signatures=np.zeros((4, 80), np.uint8),
        catalog=np.array([False, False, False, True]),
        looks=np.full((4, 5), np.nan, np.float32),
        copies=np.array([3, 1, 1, 1], np.int32),
    )


def image(sha256: str, class_name: str) -> Any:
    return SimpleNamespace(
        id=f"id-{sha256}",
        sha256=sha256,
        class_name=class_name,
        split="validation",
        origin="feedback",
        photograph=f"{class_name}/{sha256}",
        brightness=0.25,
        saturation=0.5,
        hue=40.0,
        width=30,
        height=20,
    )


def test_catalog_images_replace_their_rows() -> None:
    examples = current_examples(
        training_index(), [image("c0", "kiwi"), image("new", "plum"), image("frame", "plum")]
    )
    assert examples.class_names.tolist() == ["mango", "kiwi", "kiwi", "kiwi", "plum", "plum"]
    assert examples.origins.tolist() == ["shipped", "shipped", "boxed", *["feedback"] * 3]
    assert examples.replay_rows.tolist() == [0, 1, 2, 3, -1, -1]
    assert examples.image_ids.tolist() == ["", "", "", "id-c0", "id-new", "id-frame"]
    assert examples.copies.tolist() == [3, 1, 1, 1, 1, 1]
    assert examples.appearance[3].tolist() == [0.25, 0.5, 40, 30, 20]


def test_removed_images_are_dropped() -> None:
    examples = current_examples(training_index(), [])
    assert examples.replay_rows.tolist() == [0, 1, 2]
    assert examples.appearance.shape == (3, 5)


def test_shipped_photo_in_the_catalog_counts_once() -> None:
    examples = current_examples(training_index(), [image("s0", "plum")])
    assert examples.class_names.tolist() == ["kiwi", "kiwi", "plum"]
    assert examples.replay_rows.tolist() == [1, 2, 0]
