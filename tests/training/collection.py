"""A stub grader without TensorFlow training, for the drawn collection."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from api.core.metrics import recognition_threshold
from api.core.ood import OodDetector
from api.core.progress import Progress, silent
from api.training.corpus import TrainingSplit
from api.training.grader import Grader, embed_samples
from api.training.heads import fit_head
from api.training.recipe import Recipe
from api.training.samples import Sample, targets
from tests.heads import make_head
from tests.training.drawn_collection import CLASSES, PICTURES, SIDE, draw_collection

__all__ = ["CLASSES", "PICTURES", "SIDE", "colour_grader", "colours", "draw_collection"]


def colours(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A backbone without weights: the mean colours of a 4 x 4 grid.

    From uint8 [n, size, size, 3] to a feature map float32 [n, 1, 1, 48].
    """
    cell = pixels.shape[1] // 4
    grid = pixels[:, : 4 * cell, : 4 * cell].reshape(len(pixels), 4, cell, 4, cell, 3)
    means: NDArray[np.float32] = grid.mean(axis=(2, 4), dtype=np.float32) / 255
    return means.reshape(len(pixels), 1, 1, 48)


def colour_grader(recipe: Recipe, split: TrainingSplit, _progress: Progress = silent) -> Grader:
    """Stands in for `train_grader`: a plain head on `colours`."""

    def embed(samples: Sequence[Sample]) -> NDArray[np.float32]:
        return embed_samples(colours, samples, recipe.input_size)

    known = [sample for sample in split.training if sample.target]
    embeddings, expected = embed(known), targets(known)
    linear = fit_head(embeddings, expected, np.ones(len(embeddings), np.float32), recipe.head_l2)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    means = np.stack([unit[expected[:, k] > 0].mean(axis=0) for k in range(expected.shape[1])])
    ood = OodDetector(np.eye(unit.shape[1], dtype=np.float32), means, float("inf"))
    head = make_head(linear.weights, bias=linear.bias, temperature=1.2, ood=ood)
    held_out = embed([sample for sample in split.validation if sample.target])
    threshold = recognition_threshold(head.ood_score(held_out), [""] * len(held_out))
    head = replace(head, ood=replace(ood, threshold=threshold))
    return Grader(None, b"", colours, head, recipe.input_size, ())  # type: ignore[arg-type]
