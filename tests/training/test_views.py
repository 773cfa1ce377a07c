from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from api.training.recipe import Recipe
from api.training.samples import Sample
from api.training.views import UNKNOWN, ViewBatch, steps_per_epoch, view_batches
from tests.synthetic_images import draw_fruit, encode

SOUND, ROTTEN = (1.0, 0.0), (0.0, 1.0)
CLASSES = ("freshapples", "rottenapples")
EACH = 12


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = tmp_path_factory.mktemp("apples")
    result = []
    for kind, target in (("freshapples", SOUND), ("rottenapples", ROTTEN)):
        for seed in range(EACH):
            path = folder / f"{kind}{seed}.png"
            path.write_bytes(encode(draw_fruit(kind, seed, 96), "PNG"))
            result.append(
                Sample((path,), target, float(target == SOUND), "drawn", f"{kind}/{seed}")
            )
    return result


def epochs(samples: list[Sample], recipe: Recipe, count: int) -> list[ViewBatch]:
    return list(islice(view_batches(recipe, samples, CLASSES), count * steps_per_epoch(recipe)))


def plain(
    lesions: float = 0.0, sound: float = 0.0, decay: float = 0.0, marks: float = 0.0
) -> Recipe:
    """A small recipe with these shares of edited fruit."""
    small = Recipe(input_size=32, batch_size=7, views=2 * EACH)
    return replace(
        small,
        lesion_share=lesions,
        decay_share=decay,
        sound_patch_share=sound,
        mark_share=marks,
    )


def test_epoch_shows_each_of_equal_samples_once(samples: list[Sample]) -> None:
    batches = epochs(samples, plain(), 1)
    assert [len(batch.pixels) for batch in batches] == [7, 7, 7, 3]
    assert batches[0].pixels.shape == (7, 32, 32, 3)
    assert batches[0].pixels.dtype == np.uint8
    rows = np.concatenate([batch.rows for batch in batches])
    assert sorted(rows.tolist()) == list(range(2 * EACH))
    freshness = np.concatenate([batch.freshness for batch in batches])
    assert freshness.tolist() == [float(row < EACH) for row in rows]


@pytest.mark.slow
def test_epoch_is_balanced_over_source_and_label(samples: list[Sample]) -> None:
    """Of 12 sound and 3 rotten fruits, the rotten ones make up a quarter of the views, not a
    fifth."""
    recipe = replace(plain(), views=120)
    batches = epochs(samples[: EACH + 3], recipe, 1)
    rows = np.concatenate([batch.rows for batch in batches])
    assert len(rows) == 120
    assert (rows >= EACH).sum() == pytest.approx(30, abs=3)
    # Three sound samples of another source make up more than a quarter beside nine of this one.
    elsewhere = [replace(sample, source="shop") for sample in samples[EACH - 3 : EACH]]
    (batch, *more) = epochs([*samples[: EACH - 3], *elsewhere], recipe, 1)
    rows = np.concatenate([batch.rows, *(one.rows for one in more)])
    assert (rows >= EACH - 3).sum() == pytest.approx(120 / (1 + 3**0.8), abs=3)


def test_views_are_deterministic_by_recipe(samples: list[Sample]) -> None:
    first, second = (epochs(samples, plain(lesions=0.3, decay=0.3, marks=0.3), 1) for _ in range(2))
    assert all((a.pixels == b.pixels).all() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("recipe", [plain(lesions=1.0), plain(decay=1.0)], ids=["lesion", "decay"])
def test_sound_fruit_that_decays_is_rotten(samples: list[Sample], recipe: Recipe) -> None:
    batches = epochs(samples, recipe, 1)
    rows = np.concatenate([batch.rows for batch in batches])
    freshness = np.concatenate([batch.freshness for batch in batches])
    # Some patches do not fit on the fruit.
    assert (freshness[rows < EACH] == 0).mean() > 0.5
    assert (freshness[rows >= EACH] == 0).all()


@pytest.mark.parametrize("recipe", [plain(sound=1.0), plain(marks=1.0)], ids=["patch", "mark"])
def test_sound_patches_and_marks_change_no_label(samples: list[Sample], recipe: Recipe) -> None:
    batches, untouched = epochs(samples, recipe, 1), epochs(samples, plain(), 1)
    rows = np.concatenate([batch.rows for batch in batches])
    assert np.concatenate([batch.freshness for batch in batches]).tolist() == [
        float(row < EACH) for row in rows
    ]
    pairs = zip(batches, untouched, strict=True)
    assert any((edited.pixels != plain.pixels).any() for edited, plain in pairs)


def test_ood_samples_are_unknown_and_get_no_neighbours(samples: list[Sample]) -> None:
    path = samples[0].copies[0].with_name("sheet.png")
    path.write_bytes(encode(Image.new("RGB", (96, 96), (20, 20, 90)), "PNG"))
    ood_sample = Sample((path,), (), None, "drawn", "far/sheet.png")
    recipe = replace(plain(), neighbour_share=1.0, clean_share=0.0, background_share=0.0, views=30)
    batches = epochs([*samples, ood_sample], recipe, 1)
    rows = np.concatenate([batch.rows for batch in batches])
    is_ood = rows == len(samples)
    assert is_ood.any()
    assert (np.concatenate([batch.freshness for batch in batches])[is_ood] == UNKNOWN).all()
    pixels = np.concatenate([batch.pixels for batch in batches])[is_ood].astype(int)
    # The centre never shows a neighbour's red or yellow.
    assert (pixels[:, 12:20, 12:20, 0] <= pixels[:, 12:20, 12:20, 2] + 60).all()
