"""A small corpus of drawn fruit and a short network, for tests that train."""

from pathlib import Path

import pytest

from api.training.corpus import TrainingCorpus, read_corpus
from tests.synthetic_images import draw_fruit, encode

CLASSES = ("freshapples", "freshbanana")


def draw_corpus(root: Path, pictures: int) -> TrainingCorpus:
    """Draw `pictures` of each of `CLASSES` under `root`; with fewer than 24, a split may be
    empty."""
    for class_name in CLASSES:
        (root / class_name).mkdir()
        for seed in range(pictures):
            data = encode(draw_fruit(class_name, seed=seed), "JPEG")
            (root / class_name / f"{seed}.jpg").write_bytes(data)
    return read_corpus(root)


def shorten_detector(patch: pytest.MonkeyPatch) -> None:
    """Give detectors four blocks instead of thirteen, without ImageNet weights. Restoring or
    exporting such a network takes a quarter of the time.
    """
    # Imports TensorFlow.
    from api.training.backbones.efficientnet_lite import Block  # noqa: PLC0415

    shapes = ((1, 16), (6, 24), (6, 40), (6, 80))
    blocks = [Block(3, 2, expand, filters) for expand, filters in shapes]
    patch.setattr("api.training.backbones.efficientnet_lite.BLOCKS", blocks)
    # Layers with strides 8, 16 and 32.
    layers = ("block1_project_bn", "block2_project_bn", "block3_project_bn")
    patch.setattr("api.training.detection.network.LAYERS", layers)
