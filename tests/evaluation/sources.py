"""Drawn photographs of several sources, and a grader that learns them in no time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.evaluation.metrics import recognition_threshold
from api.predict.ood import OodDetector
from api.progress import Progress, silent
from api.training.embedding import embed_samples
from api.training.grader import Grader
from api.training.heads import fit_head
from api.training.recipe import Recipe
from api.training.samples import Sample, targets
from api.training.study import Study
from tests.drawing import draw_fruit, encode
from tests.heads import make_head
from tests.training.drawn_collection import SIDE, draw_collection

# The source of the class folders that have no folder of a source above them.
STUDIO = ""
KITCHEN_KINDS = ("pear", "plum", "kiwi")


def draw_sources(root: Path) -> Path:
    """The drawn collection, and a kitchen: all classes, other produce (pears as in the market)."""
    draw_collection(root)
    for name in ("freshapples", "freshbanana", "rottenapples", "rottenbanana"):
        for seed in range(26):
            image = draw_fruit(name, seed=900 + seed, size=SIDE)
            _write(root / "kitchen" / name / f"kitchen_{seed}.jpg", image)
    for kind in KITCHEN_KINDS:
        for seed in range(3):
            image = draw_fruit("freshoranges", seed=900 + seed, size=SIDE)
            _write(root / "kitchen" / "other" / kind / f"{seed}.jpg", image)
    return root


def colours(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A backbone without weights: uint8 [n, size, size, 3] to the colours of a 4 x 4 grid, as
    a feature map float32 [n, 1, 1, 48]."""
    cell = pixels.shape[1] // 4
    grid = pixels[:, : 4 * cell, : 4 * cell].reshape(len(pixels), 4, cell, 4, cell, 3)
    means: NDArray[np.float32] = grid.mean(axis=(2, 4), dtype=np.float32) / 255
    return means.reshape(len(pixels), 1, 1, 48)


def colour_grader(recipe: Recipe, study: Study, _progress: Progress = silent) -> Grader:
    """Stands in for `train_grader`: a plain head on `colours`."""

    def embed(samples: Sequence[Sample]) -> NDArray[np.float32]:
        return embed_samples(colours, samples, recipe.input_size)

    known = [sample for sample in study.training if sample.target]
    learned, wanted = embed(known), targets(known)
    linear = fit_head(learned, wanted, np.ones(len(learned), np.float32), recipe.head_l2)
    unit = learned / np.linalg.norm(learned, axis=1, keepdims=True)
    means = np.stack([unit[wanted[:, k] > 0].mean(axis=0) for k in range(wanted.shape[1])])
    ood = OodDetector(np.eye(unit.shape[1], dtype=np.float32), means, float("inf"))
    head = make_head(linear.weights, bias=linear.bias, temperature=1.2, ood=ood)
    held_out = embed([sample for sample in study.validation if sample.target])
    threshold = recognition_threshold(head.ood_score(held_out), [""] * len(held_out))
    head = make_head(
        linear.weights, bias=linear.bias, temperature=1.2, ood=ood.with_threshold(threshold)
    )
    return Grader(None, b"", colours, head, recipe.input_size, ())  # type: ignore[arg-type]


def _write(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(image, "JPEG"))
