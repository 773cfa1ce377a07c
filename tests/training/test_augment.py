import numpy as np
from PIL import Image

from api.training.augment import CANVAS, WHITE, augment, replace_white_background
from tests.drawing import draw_fruit


def test_the_same_generator_state_gives_the_same_view() -> None:
    image = draw_fruit("freshapples", seed=1)
    views = [augment(image, 64, np.random.default_rng(5), 0.2, 0.5) for _ in range(2)]
    assert np.array_equal(views[0], views[1])
    assert views[0].shape == (64, 64, 3)
    assert views[0].dtype == np.uint8


def test_views_differ() -> None:
    image = draw_fruit("freshapples", seed=1)
    rng = np.random.default_rng(0)
    views = {augment(image, 64, rng, 0.0, 0.5).tobytes() for _ in range(20)}
    assert len(views) == 20


def test_clean_views_are_only_mirrored() -> None:
    image = draw_fruit("freshbanana", seed=2)
    rng = np.random.default_rng(0)
    views = {augment(image, 64, rng, 1.0, 0.5).tobytes() for _ in range(20)}
    assert len(views) == 2


def test_the_white_background_goes_and_the_fruit_stays() -> None:
    image = Image.new("RGB", (CANVAS, CANVAS), "white")
    image.paste((200, 30, 30), (70, 70, 150, 150))
    changed = np.asarray(replace_white_background(image, np.random.default_rng(1)))
    assert (changed[100:120, 100:120] == (200, 30, 30)).all()
    assert (changed[:40].min(axis=2) < WHITE).mean() > 0.9


def test_a_picture_without_white_border_stays() -> None:
    image = Image.new("RGB", (CANVAS, CANVAS), (90, 60, 30))
    image.paste("white", (90, 90, 130, 130))
    changed = replace_white_background(image, np.random.default_rng(1))
    assert np.array_equal(np.asarray(changed), np.asarray(image))
