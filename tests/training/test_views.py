from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from api.training.recipe import Recipe
from api.training.samples import Sample
from api.training.views import Batch, batches, steps_of
from tests.drawing import draw_fruit, encode

SOUND, ROTTEN = (1.0, 0.0), (0.0, 1.0)
EACH = 12


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = tmp_path_factory.mktemp("apples")
    found = []
    for kind, target in (("freshapples", SOUND), ("rottenapples", ROTTEN)):
        for seed in range(EACH):
            path = folder / f"{kind}{seed}.png"
            path.write_bytes(encode(draw_fruit(kind, seed, 96), "PNG"))
            found.append(Sample((path,), target))
    return found


def epochs(samples: list[Sample], recipe: Recipe, count: int) -> list[Batch]:
    weights = np.arange(len(samples), dtype=np.float32)
    return list(islice(batches(recipe, samples, weights), count * steps_of(recipe, samples)))


def targets_of(found: list[Batch]) -> NDArray[np.float32]:
    """Of each sample, in order of its weight, by epoch: the share of rot."""
    rows = [row for batch in found for row in zip(batch.weights, batch.targets[:, 1], strict=True)]
    return np.array([rot for _, rot in sorted(rows)]).reshape(2 * EACH, -1)


def test_an_epoch_shows_each_sample_once(samples: list[Sample]) -> None:
    recipe = Recipe(input_size=64, batch_size=7)
    found = epochs(samples, recipe, 1)
    assert [len(batch.pixels) for batch in found] == [7, 7, 7, 3]
    assert found[0].pixels.shape == (7, 64, 64, 3)
    assert found[0].pixels.dtype == np.uint8
    shares = targets_of(found)
    assert (shares[:EACH] == 0).all()
    assert (shares[EACH:] == 1).all()


def test_the_same_recipe_shows_the_same_views(samples: list[Sample]) -> None:
    recipe = Recipe(input_size=32)
    first, second = (epochs(samples, recipe, 1) for _ in range(2))
    assert all((a.pixels == b.pixels).all() for a, b in zip(first, second, strict=True))
