"""A small corpus of drawn fruit for tests that train."""

from pathlib import Path

from api.training.corpus import TrainingCorpus, read_corpus
from tests.synthetic_images import draw_fruit, encode

CLASSES = ("freshapples", "freshbanana")


def draw_corpus(root: Path, pictures: int) -> TrainingCorpus:
    """`pictures` of each of `CLASSES` under `root`; with fewer than 24 a split may be empty."""
    for class_name in CLASSES:
        (root / class_name).mkdir()
        for seed in range(pictures):
            data = encode(draw_fruit(class_name, seed=seed), "JPEG")
            (root / class_name / f"{seed}.jpg").write_bytes(data)
    return read_corpus(root)
