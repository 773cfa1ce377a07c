"""Simulated decay and harmless marks on drawn fruit."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from api.training.background_augment import CANVAS
from api.training.decay import with_decay, with_harmless_mark

Edit = Callable[[Image.Image, Generator], Image.Image | None]
RED, SEEDS = (200, 30, 30), 40
# How far dents and a soft edge may reach beyond the outline, in pixels.
REACH = 20


@pytest.fixture
def apple() -> Image.Image:
    """A red disc on white."""
    image = Image.new("RGB", (CANVAS, CANVAS), "white")
    ImageDraw.Draw(image).ellipse((50, 50, 174, 174), fill=RED)
    return image


def edits(edit: Edit, image: Image.Image) -> NDArray[np.int64]:
    """One edited image for each seed: int64 [SEEDS, CANVAS, CANVAS, 3]."""
    images = [edit(image, np.random.default_rng(seed)) for seed in range(SEEDS)]
    assert all(image is not None for image in images)
    return np.stack([np.asarray(image, np.int64) for image in images if image is not None])


def distance_from_centre() -> NDArray[np.float64]:
    rows, columns = np.ogrid[:CANVAS, :CANVAS]
    distance: NDArray[np.float64] = np.hypot(rows - 112, columns - 112)
    return distance


@pytest.mark.parametrize("edit", [with_decay, with_harmless_mark])
def test_the_fruit_changes_and_its_background_does_not(edit: Edit, apple: Image.Image) -> None:
    change = np.abs(edits(edit, apple) - np.asarray(apple)).max(axis=3)
    assert (change.max(axis=(1, 2)) > 20).all()
    assert not change[:, distance_from_centre() > 62 + REACH].any()


def test_decay_changes_more_of_the_skin_than_a_mark(apple: Image.Image) -> None:
    on_fruit = distance_from_centre() < 55

    def changed(edit: Edit) -> float:
        change = np.abs(edits(edit, apple) - np.asarray(apple)).max(axis=3)
        return float((change[:, on_fruit] > 15).mean())

    assert changed(with_decay) > 1.5 * changed(with_harmless_mark)


def test_decay_is_brown_pale_or_wrinkled(apple: Image.Image) -> None:
    skin = edits(with_decay, apple)[:, distance_from_centre() < 45]
    red, green, blue = (skin[..., k] for k in range(3))
    brown = (red < 150) & (red > green) & (green >= blue) & (red > 20)
    pale = (np.minimum(np.minimum(red, green), blue) > 110).mean(axis=1)
    # At least a sixth of the images show much of each; the rest is wrinkled or both.
    assert (brown.mean(axis=1) > 0.3).sum() > SEEDS / 6
    assert (pale > 0.1).sum() > SEEDS / 8
    wrinkled = (red.std(axis=1) > 5) & (pale < 0.05) & (brown.mean(axis=1) < 0.3)
    assert wrinkled.sum() > SEEDS / 10


@pytest.mark.parametrize("edit", [with_decay, with_harmless_mark])
def test_edits_are_deterministic_by_generator(edit: Edit, apple: Image.Image) -> None:
    first, second = edits(edit, apple), edits(edit, apple)
    assert (first == second).all()
    assert (first[0] != first[1]).any()


@pytest.mark.parametrize("edit", [with_decay, with_harmless_mark])
def test_without_a_plain_background_the_fruit_is_a_disc_in_the_middle(edit: Edit) -> None:
    close = Image.new("RGB", (CANVAS, CANVAS), RED)
    change = np.abs(edits(edit, close) - RED).max(axis=3)
    assert change.any()
    assert not change[:, distance_from_centre() > CANVAS * 0.4 + REACH].any()


@pytest.mark.parametrize("edit", [with_decay, with_harmless_mark])
def test_shapes_too_thin_for_fruit_are_left_alone(edit: Edit) -> None:
    image = Image.new("RGB", (CANVAS, CANVAS), "white")
    for x in range(10, CANVAS, 25):
        ImageDraw.Draw(image).line((x, 10, x, CANVAS - 10), fill=RED, width=3)
    assert edit(image, np.random.default_rng(0)) is None
