"""A grader that learns in no time, for the drawn collection."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from api.predict.head import Head
from api.progress import Progress, silent
from api.training.calibrate import fit_temperature
from api.training.embedding import embed_samples
from api.training.grader import Grader
from api.training.head import fit_head
from api.training.recipe import Recipe
from api.training.reject import fit_rejection, set_threshold
from api.training.samples import Sample, targets
from api.training.study import Study
from tests.training.drawn_collection import CLASSES, PICTURES, SIDE, draw_collection

__all__ = ["CLASSES", "PICTURES", "SIDE", "colour_grader", "colours", "draw_collection"]


def colours(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A backbone without weights: uint8 [n, size, size, 3] to the colours of a 4 x 4 grid, as
    a feature map float32 [n, 1, 1, 48]."""
    cell = pixels.shape[1] // 4
    grid = pixels[:, : 4 * cell, : 4 * cell].reshape(len(pixels), 4, cell, 4, cell, 3)
    means: NDArray[np.float32] = grid.mean(axis=(2, 4), dtype=np.float32) / 255
    return means.reshape(len(pixels), 1, 1, 48)


def colour_grader(recipe: Recipe, study: Study, _progress: Progress = silent) -> Grader:
    """Stands in for `train_grader`: a head on `colours`."""

    def embed(samples: Sequence[Sample]) -> NDArray[np.float32]:
        return embed_samples(colours, samples, recipe.input_size)

    known = [sample for sample in study.training if sample.target]
    validation = [sample for sample in study.validation if sample.target]
    unknown = [sample for sample in study.validation if not sample.target]
    learned, held_out, wanted = embed(known), embed(validation), targets(known)
    linear = fit_head(learned, wanted, np.ones(len(learned), np.float32), recipe.head_l2)
    temperature = fit_temperature(linear(held_out), targets(validation).argmax(axis=1))
    rejection = fit_rejection(learned, wanted.argmax(axis=1))
    rejection = set_threshold(rejection, held_out, embed(unknown))
    head = Head(linear.weights, linear.bias, temperature, rejection)
    return Grader(None, b"", colours, head, recipe.input_size, ())  # type: ignore[arg-type]
